import type { JobHooks } from '../progress';

/** A job's work: takes checked options, gives what the caller gets. Runs in a thread of its own. */
type Work = (options: never, hooks: JobHooks) => Promise<unknown>;

/** The jobs by name; each is loaded when it runs. */
export const jobs = {
  train: async () => (await import('../training/train')).runTraining as Work,
  supervised: async () => (await import('../training/supervised')).runSupervised as Work,
  evaluate: async () => (await import('../evaluation/evaluate')).runEvaluation as Work,
  convert: async () => (await import('../convert/convert')).runConvert as Work,
  poison: async () => (await import('../backdoor/poison')).runPoison as Work,
};

/** The name of a job that runs in a thread of its own. */
export type JobName = keyof typeof jobs;
