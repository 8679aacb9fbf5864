// The generated types of the jobs' arguments are those that the option tables give: `tsc -p test` fails where not.
import type { augmentImageOptions, augmentTextOptions } from '../../src/options/augment';
import type { convertArguments, convertFlags } from '../../src/options/convert';
import type { Resolved } from '../../src/options/define';
import type { downloadOptions } from '../../src/options/download';
import type { embedFlags, linearProbeFlags, retrievalFlags, zeroshotFlags } from '../../src/options/embeddings';
import type {
  AugmentImageInput,
  AugmentTextInput,
  ConvertInput,
  DownloadInput,
  EmbedInput,
  EvaluateInput,
  FinetuneInput,
  LinearProbeInput,
  PlotInput,
  PoisonInput,
  PrepareInput,
  ReportInput,
  RetrievalInput,
  TrainInput,
  ZeroshotInput,
} from '../../src/options/inputs.gen';
import type { reportArguments, reportFlags } from '../../src/options/page';
import type { plotArguments, plotFlags } from '../../src/options/plot';
import type { poisonOptions } from '../../src/options/poison';
import type { prepareArguments, prepareFlags } from '../../src/options/prepare';
import type { trainOptions } from '../../src/options/train';

/** Whether two types are the same one: what each takes, the other takes, and each property is as optional. */
type Same<A, B> =
  (<T>() => T extends Flat<A> ? 1 : 2) extends <T>() => T extends Flat<B> ? 1 : 2 ? true : { given: A; derived: B };
type Flat<T> = { [K in keyof T]: T[K] };

/** What a caller gives: any of the options of a table. */
type Given<T extends Parameters<typeof import('../../src/options/define').resolve>[0]> = Partial<Resolved<T>>;

export const same: [
  Same<TrainInput, Given<typeof trainOptions>>,
  Same<FinetuneInput, TrainInput>,
  Same<EvaluateInput, Omit<TrainInput, 'trainData'>>,
  Same<PoisonInput, Given<typeof poisonOptions>>,
  Same<DownloadInput, Given<typeof downloadOptions>>,
  Same<PrepareInput, Given<typeof prepareArguments & typeof prepareFlags>>,
  Same<AugmentTextInput, Given<typeof augmentTextOptions>>,
  Same<AugmentImageInput, Given<typeof augmentImageOptions>>,
  Same<ConvertInput, Given<typeof convertArguments & typeof convertFlags>>,
  Same<EmbedInput, Given<typeof embedFlags>>,
  Same<ZeroshotInput, Given<typeof zeroshotFlags>>,
  Same<LinearProbeInput, Given<typeof linearProbeFlags>>,
  Same<RetrievalInput, Given<typeof retrievalFlags>>,
  Same<PlotInput, Given<typeof plotArguments & typeof plotFlags>>,
  Same<ReportInput, Given<typeof reportArguments & typeof reportFlags>>,
] = [true, true, true, true, true, true, true, true, true, true, true, true, true, true, true];
