import type { JobHooks } from '../progress';

/** The work of a job, which runs in its own thread: it takes checked options, and returns what the caller gets. */
export type Work = (options: never, hooks: JobHooks) => Promise<unknown>;

/** The jobs by name. Each is loaded when it runs. */
export const jobs = {
  train: async () => (await import('../training/train')).runTraining,
  supervised: async () => (await import('../training/supervised')).runSupervised,
  evaluate: async () => (await import('../evaluation/evaluate')).runEvaluation,
  convert: async () => (await import('../convert/convert')).runConvert,
  embed: async () => (await import('../embeddings/embed')).runEmbed,
  zeroshot: async () => (await import('../embeddings/zeroshot')).runZeroshot,
  linearProbe: async () => (await import('../embeddings/linear_probe')).runLinearProbe,
  retrieval: async () => (await import('../embeddings/retrieval')).runRetrieval,
  augmentImage: async () => (await import('../prepare/augment/image')).runAugmentImage,
  augmentText: async () => (await import('../prepare/augment/text')).runAugmentText,
  download: async () => (await import('../download/download')).runDownload,
  plot: async () => (await import('../plot/plot')).runPlot,
  report: async () => (await import('../report/report')).runReport,
  poison: async () => (await import('../backdoor/poison')).runPoison,
  prepare: async () => (await import('../prepare/prepare')).runPrepare,
} satisfies Record<string, () => Promise<Work>>;

/** The name of a job that runs in a thread of its own. */
export type JobName = keyof typeof jobs;
