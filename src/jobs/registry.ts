import type { JobHooks } from '../progress';

/** The work of a job, which runs in its own thread: it takes checked options, and returns what the caller gets. */
type Work = (options: never, hooks: JobHooks) => Promise<unknown>;

/** The jobs by name. Each is loaded when it runs. */
export const jobs = {
  train: async () => (await import('../training/train')).runTraining as Work,
  supervised: async () => (await import('../training/supervised')).runSupervised as Work,
  evaluate: async () => (await import('../evaluation/evaluate')).runEvaluation as Work,
  convert: async () => (await import('../convert/convert')).runConvert as Work,
  embed: async () => (await import('../embeddings/embed')).runEmbed as Work,
  zeroshot: async () => (await import('../embeddings/zeroshot')).runZeroshot as Work,
  linearProbe: async () => (await import('../embeddings/linear_probe')).runLinearProbe as Work,
  retrieval: async () => (await import('../embeddings/retrieval')).runRetrieval as Work,
  augmentImage: async () => (await import('../prepare/augment/image')).runAugmentImage as Work,
  augmentText: async () => (await import('../prepare/augment/text')).runAugmentText as Work,
  download: async () => (await import('../download/download')).runDownload as Work,
  plot: async () => (await import('../plot/plot')).runPlot as Work,
  report: async () => (await import('../report/report')).runReport as Work,
  poison: async () => (await import('../backdoor/poison')).runPoison as Work,
  prepare: async () => (await import('../prepare/prepare')).runPrepare as Work,
};

/** The name of a job that runs in a thread of its own. */
export type JobName = keyof typeof jobs;
