// The rows of the table: which module measures them, and their goals.
import { embeddingRows } from './table_embeddings.mjs';

/**
 * @typedef {object} Row a line of the table, from one key of a measurement's result
 * @property {string} title
 * @property {string} key
 * @property {'s' | 'bytes' | 'share'} unit
 * @property {Record<string, number>} [atLeast] the goal for the ratio to each other side: their cost ÷ ours
 * @property {{ atMost?: number, atLeast?: number }} [limit] the goal for our own value
 * @property {string} [why] the reason, shown when the row is short of its goal
 * @property {(taken: object) => string | undefined} [check] returns what is wrong with the measured values, if anything
 *
 * @typedef {object} Measurement
 * @property {string} id
 * @property {string} module in bench/node/ and bench/python/
 * @property {object} args
 * @property {object} [quick] arguments that replace those of `args` with --quick
 * @property {string[]} sides in the order in which a round measures them
 * @property {number} repeats the number of rounds
 * @property {Row[]} rows
 */

const all = ['node', 'reference', 'open_clip'];
const two = ['node', 'reference'];
const step = (title, atLeast, more = {}) => ({ title, key: 'seconds', unit: 's', atLeast, ...more });

const peakShare = (atLeast) => ({
  title: 'share of the matmul peak (4096³, in that precision) in that step',
  key: 'share',
  unit: 'share',
  limit: { atLeast },
});

/** Checks that the losses of each step agree within 1e-5. */
function sameLosses({ node, reference }) {
  const apart = Math.max(
    ...node.map(({ loss }, i) => Math.abs(loss - reference[i].loss) / Math.abs(reference[i].loss)),
  );
  return apart <= 1e-5 ? undefined : `losses differ by ${apart.toExponential(1)}`;
}

/** @type {Measurement[]} */
export const measurements = [
  {
    id: 'operators',
    module: 'operators',
    args: {},
    sides: two,
    repeats: 15,
    rows: [
      { title: '`add` of two one-element tensors in a tidy scope', key: 'add', unit: 's', atLeast: { reference: 1.3 } },
      { title: 'the same, of a chain of 10', key: 'chain', unit: 's', atLeast: { reference: 1.3 } },
    ],
  },
  {
    id: 'images',
    module: 'images',
    args: { work: 'preprocess' },
    sides: all,
    repeats: 7,
    rows: [
      {
        title: '500×375 JPEG to normalised 224×224, CPU time per image',
        key: 'seconds',
        unit: 's',
        atLeast: { reference: 2.5, open_clip: 2.5 },
      },
    ],
  },
  {
    id: 'autoaugment',
    module: 'images',
    args: { work: 'augment' },
    sides: two,
    repeats: 7,
    rows: [
      {
        title: 'the same with AutoAugment',
        key: 'seconds',
        unit: 's',
        atLeast: { reference: 3.5 },
        why: 'two thirds of it is decoding by libjpeg-turbo, as in Python; without AVX-512 the rest takes longer',
      },
    ],
  },
  {
    id: 'views',
    module: 'images',
    args: { work: 'views' },
    sides: two,
    repeats: 7,
    rows: [
      {
        title: 'both views of CleanCLIP in the thread that loads them (here not normalised)',
        key: 'seconds',
        unit: 's',
      },
    ],
  },
  {
    id: 'decode',
    module: 'images',
    args: { work: 'decode' },
    sides: two,
    repeats: 7,
    rows: [
      { title: 'decoding alone, which is left to that thread by `--augment_on device`', key: 'seconds', unit: 's' },
    ],
  },
  {
    id: 'tokens',
    module: 'tokens',
    args: { captions: 100_000 },
    quick: { captions: 5000 },
    sides: all,
    repeats: 3,
    rows: [
      { title: 'tokenising 100,000 captions', key: 'seconds', unit: 's', atLeast: { reference: 5, open_clip: 5 } },
    ],
  },
  {
    id: 'checkpoint',
    module: 'saving',
    args: { model: 'RN50' },
    quick: { model: 'tiny' },
    sides: two,
    repeats: 5,
    rows: [
      { title: 'save a checkpoint of 400 MB, synced to the disk here and not there', key: 'save', unit: 's' },
      { title: 'the same, synced to the disk on both sides', key: 'durable', unit: 's' },
      {
        title: 'pause of training while it is saved (Python: save and sync)',
        key: 'pause',
        unit: 's',
        atLeast: { reference: 1.3 },
      },
      { title: 'the same, until the file is on the disk', key: 'written', unit: 's' },
      { title: 'load it', key: 'load', unit: 's', atLeast: { reference: 2 } },
      { title: 'load it and read every value', key: 'read', unit: 's' },
    ],
  },
  {
    id: 'start',
    module: 'start',
    args: {},
    sides: two,
    repeats: 5,
    rows: [
      { title: 'start: `cleanclip-train --help`', key: 'help', unit: 's', limit: { atMost: 0.15 } },
      {
        title: 'start: load the library, make a tensor (Python: `import torch`)',
        key: 'load',
        unit: 's',
        atLeast: { reference: 1 / 0.6 },
      },
      { title: 'start: first step, tiny model', key: 'step', unit: 's', atLeast: { reference: 1 / 0.6 } },
    ],
  },
  {
    id: 'epoch',
    module: 'epoch',
    args: { pairs: 1024 },
    quick: { pairs: 128 },
    sides: two,
    repeats: 3,
    rows: [
      {
        title: 'a CleanCLIP epoch of 1,024 pairs of real files, tiny model',
        key: 'seconds',
        unit: 's',
        atLeast: { reference: 4 },
        why: 'a step takes 71 ms while the loader threads share the cores with it, and 40 ms once they are done',
      },
    ],
  },
  {
    id: 'tiny-cleanclip',
    module: 'step',
    args: { model: 'tiny', pairs: 32, inmodal: true },
    quick: { pairs: 8 },
    sides: two,
    repeats: 15,
    rows: [step('its step alone: tiny model, 32 pairs, CleanCLIP', {})],
  },
  {
    id: 'zeroshot',
    module: 'zeroshot',
    sides: all,
    repeats: 1,
    args: { model: 'tiny', classes: 1000, templates: 80, images: 500 },
    quick: { classes: 20, images: 32 },
    rows: [
      {
        title: 'zero-shot evaluation, 1,000 classes × 80 templates + 500 images, tiny model',
        key: 'seconds',
        unit: 's',
        atLeast: { reference: 3, open_clip: 1.5 },
      },
    ],
  },
  ...embeddingRows,
  {
    id: 'csv',
    module: 'csv_run',
    args: { rows: 3_000_000 },
    quick: { rows: 30_000 },
    sides: two,
    repeats: 1,
    rows: [
      {
        title: 'peak memory of a run over 3,000,000 rows of csv',
        key: 'bytes',
        unit: 'bytes',
        atLeast: { reference: 1 / 0.8 },
      },
    ],
  },
  {
    id: 'shards',
    module: 'shards',
    args: { pairs: 2048 },
    quick: { pairs: 512 },
    sides: two,
    repeats: 5,
    rows: [
      step('500×375 JPEG from tars to 224×224 (Python: WebDataset, torchvision)', { reference: 2 }, { key: 'tars' }),
      { title: 'the same from a csv and its files', key: 'csv', unit: 's' },
      { title: 'the same from a parquet', key: 'parquet', unit: 's' },
      { title: 'images/s from tars ÷ from the csv', key: 'tarShare', unit: 'share', limit: { atLeast: 1 } },
      { title: 'images/s from a parquet ÷ from the csv', key: 'parquetShare', unit: 'share', limit: { atLeast: 1 } },
      { title: 'listing the pairs of the tars at the start, per pair', key: 'tarsListed', unit: 's' },
      { title: 'listing those of the parquet, per pair', key: 'parquetListed', unit: 's' },
    ],
  },
  {
    id: 'vit',
    module: 'step',
    args: { model: 'ViT-B/32', pairs: 32 },
    quick: { model: 'tiny' },
    sides: all,
    repeats: 4,
    rows: [step('ViT-B/32, 32 pairs, CLIP step, --precision auto', { reference: 3.3, open_clip: 1.5 }), peakShare(0.8)],
  },
  {
    id: 'vit-fp32',
    module: 'step',
    args: { model: 'ViT-B/32', pairs: 32, precision: 'fp32' },
    quick: { model: 'tiny' },
    sides: two,
    repeats: 4,
    rows: [step('ViT-B/32 step, fp32, same losses within 1e-5', { reference: 1.4 }, { check: sameLosses })],
  },
  {
    id: 'rn50',
    module: 'step',
    args: { model: 'RN50', pairs: 32 },
    quick: { model: 'tiny' },
    sides: all,
    repeats: 4,
    rows: [step('RN50, 32 pairs, CLIP step, --precision auto', { reference: 4, open_clip: 1.6 }), peakShare(0.7)],
  },
  {
    id: 'rn50-fp32',
    module: 'step',
    args: { model: 'RN50', pairs: 32, precision: 'fp32' },
    quick: { model: 'tiny' },
    sides: two,
    repeats: 4,
    rows: [step('RN50 step, fp32, same losses within 1e-5', { reference: 1.4 }, { check: sameLosses })],
  },
  {
    id: 'rn50-cleanclip',
    module: 'step',
    args: { model: 'RN50', pairs: 32, inmodal: true },
    quick: { model: 'tiny' },
    sides: two,
    repeats: 4,
    rows: [
      step('RN50, 32 pairs, CleanCLIP (inmodal) step, --precision auto', { reference: 4 }),
      { title: 'peak memory of that step', key: 'bytes', unit: 'bytes', atLeast: { reference: 1 / 0.8 } },
    ],
  },
  {
    id: 'zeroshot-rn50',
    module: 'zeroshot',
    sides: all,
    repeats: 1,
    args: { model: 'RN50', classes: 20, templates: 80, images: 10 },
    quick: { model: 'tiny' },
    rows: [
      {
        title: 'a fiftieth of that evaluation, RN50: 20 classes × 80 templates + 10 images',
        key: 'seconds',
        unit: 's',
        atLeast: { reference: 3, open_clip: 1.5 },
      },
    ],
  },
];
