import { augmentImageOptions, augmentTextOptions } from './augment';
import {
  checkAugmentRules,
  checkDownloadRules,
  checkEmbedRules,
  checkPlotRules,
  checkPoisonRules,
  checkPrepareRules,
  checkRetrievalRules,
} from './command_rules';
import { convertArguments, convertFlags } from './convert';
import type { OptionSpec } from './define';
import { downloadOptions } from './download';
import { embedFlags, linearProbeFlags, retrievalFlags, zeroshotFlags } from './embeddings';
import { reportArguments, reportFlags } from './page';
import { plotArguments, plotFlags } from './plot';
import { poisonOptions } from './poison';
import { prepareArguments, prepareFlags } from './prepare';

/** A command of `cleanclip` that runs a job: `cleanclip poison`. The API has a function of the same name. */
export interface JobCommand {
  flags: Record<string, OptionSpec>;
  /** what stands without a flag on the command line, in order; a name and a value in the API */
  args?: Record<string, OptionSpec>;
  /** flags and arguments that cannot be left out */
  required: readonly string[];
  /** other names of flags */
  aliases?: Record<string, string>;
  /** checks the rules between flags; throws `ERR_OPTION` */
  check?(options: never): void;
}

/** The commands of `cleanclip` that run a job, by the name of the job. */
export const jobCommands = {
  poison: {
    flags: poisonOptions,
    required: ['train_data', 'num_backdoor'],
    aliases: { patch: 'patch_type' }, // as in the Python code
    check: checkPoisonRules,
  },
  convert: { flags: convertFlags, args: convertArguments, required: ['input', 'output', 'to'] },
  embed: { flags: embedFlags, required: ['output'], check: checkEmbedRules },
  zeroshot: { flags: zeroshotFlags, required: ['embeddings'] },
  linearProbe: { flags: linearProbeFlags, required: ['train_embeddings', 'test_embeddings'] },
  retrieval: { flags: retrievalFlags, required: [], check: checkRetrievalRules },
  download: { flags: downloadOptions, required: ['file', 'dir'], check: checkDownloadRules },
  augmentText: { flags: augmentTextOptions, required: ['input', 'output'], check: checkAugmentRules },
  augmentImage: { flags: augmentImageOptions, required: ['input', 'output'], check: checkAugmentRules },
  prepare: { flags: prepareFlags, args: prepareArguments, required: ['set', 'input'], check: checkPrepareRules },
  plot: { flags: plotFlags, args: plotArguments, required: ['output'], check: checkPlotRules },
  report: { flags: reportFlags, args: reportArguments, required: ['runs', 'output'] },
} satisfies Record<string, JobCommand>;

/** The name of a job that is a command of `cleanclip`. */
export type JobCommandName = keyof typeof jobCommands;

/** Returns what a job takes: the arguments and flags of its command. */
export function optionsOf(name: JobCommandName): Record<string, OptionSpec> {
  const { args, flags }: JobCommand = jobCommands[name];
  return { ...args, ...flags };
}

/** Returns the name of a command as it is typed: `linearProbe` → `linear-probe`. */
export const commandName = (job: JobCommandName): string =>
  job.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
