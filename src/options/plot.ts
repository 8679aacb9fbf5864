import { integer, number, type Resolved, text, texts } from './define';
import { embeddingFlags } from './embeddings';

/** The arguments of `cleanclip plot`. */
export const plotArguments = {
  runs: texts({ doc: 'folders of runs, logs/NAME, whose losses, CA and ASR are drawn by step', unit: 'logs' }),
};

/** The flags of `cleanclip plot`. */
export const plotFlags = {
  embeddings: texts({
    doc: 'files that cleanclip embed wrote, drawn side by side, such as before and after cleansing',
    unit: 'file',
  }),
  checkpoint: texts({
    doc: 'models, instead of --embeddings: the set that the flags name is embedded with each, and drawn side by side',
    unit: 'file',
  }),
  method: text({
    doc: 'how embeddings become points: pca takes two principal components, tsne keeps neighbours together',
    default: 'pca',
    choices: ['pca', 'tsne'],
  }),
  of: text({
    doc: 'which embeddings of pairs to draw',
    default: 'images',
    choices: ['images', 'texts'],
  }),
  detected: text({
    doc: 'csv of the pairs that a defence has detected, with a column row (from 0) or image',
    default: undefined,
    unit: 'file',
  }),
  classes: texts({
    doc: 'classes of a labelled set to draw; without it, the first five that have images',
    unit: 'class',
  }),
  titles: texts({ doc: 'titles of the pictures; without it, the names of the files or runs', unit: 'text' }),
  max_points: integer({
    doc: 'points of a picture at most; the seed draws among more, and poisoned pairs come first',
    default: 10_000,
    min: 3,
    unit: 'points',
  }),
  perplexity: number({ doc: 'how many neighbours each point has in effect, for t-SNE', default: 10, above: 1 }),
  iterations: integer({ doc: 'iterations of t-SNE', default: 1000, min: 250, unit: 'iterations' }),
  seed: integer({
    doc: 'seed of the points that are drawn, of the start of t-SNE, and of the places of the trigger',
    default: 0,
    unit: 'seed',
  }),
  output: text({
    doc: 'what to write: a name ending with .svg, .png or .csv is one file; any other gets all three',
    default: 'plot',
    unit: 'name',
    short: 'o',
  }),
  ...embeddingFlags,
};

/** The options of `plot` with their defaults filled in. */
export type PlotOptions = Resolved<typeof plotArguments & typeof plotFlags>;
