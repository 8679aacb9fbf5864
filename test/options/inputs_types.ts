// The generated types of the jobs' arguments are those that the option tables give: `tsc -p test` fails where not.
import type { convertOptions } from '../../src/options/convert';
import type { Resolved } from '../../src/options/define';
import type { ConvertInput, EvaluateInput, FinetuneInput, PoisonInput, TrainInput } from '../../src/options/inputs.gen';
import type { poisonOptions } from '../../src/options/poison';
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
  Same<ConvertInput, Given<typeof convertOptions>>,
] = [true, true, true, true, true];
