import { encode, type Linear } from '../classify/classifier';
import { type ClassifierLoss, classifierOptimizer, classifierSteps, type LabelledBatch } from '../classify/steps';
import type { Clip } from '../clip/model';
import type { BadImage } from '../data/batch';
import { labelledBatches } from '../data/image_loader';
import { batchCount, batchRows, epochOrder, ownBatches } from '../data/sampler';
import { trainLoop } from '../run/loop';
import type { Agreed, LoopParts } from '../run/loop_parts';
import { fromAllRanks, ranks } from '../run/ranks';
import { type Tensor, torch } from '../torch';
import { cosineSchedule } from '../torch/schedule';
import type { TrainingSet } from './sets';

const LEARNING_RATE = 0.005;
const IMAGES_A_BATCH = 128;

/** Image features and their classes. */
export interface LabelledFeatures {
  /** float32 [N, D] on the CPU */
  features: Tensor;
  /** [N] */
  labels: Int32Array;
}

/**
 * The features of all images that can be read, computed once: 4·N·D bytes, 200 MB for 50,000 images of an RN50. Of
 * several ranks each computes a part, and all get the whole.
 */
export async function encodeSet(
  clip: Clip,
  { images, labels, stamp }: TrainingSet,
  options: {
    numWorkers: number;
    strict: boolean;
    signal?: AbortSignal;
    onBadRow: (bad: BadImage) => void;
    onBatch: (done: number) => void;
  },
): Promise<LabelledFeatures> {
  const { onBatch, ...loading } = options;
  const own = ownBatches(images.length, IMAGES_A_BATCH, ranks());
  const parts: { rows: Int32Array; values: Float32Array }[] = [];
  let done = 0;
  if (own.length > 0) {
    for await (const batch of labelledBatches(
      Array.from(own, (i) => images[i]),
      { ...loading, batchSize: IMAGES_A_BATCH, size: clip.config.imageSize, geometry: clip.config },
    )) {
      const rows = batch.indices.map((i) => own[i]);
      stamp?.(batch.pixels, rows);
      const values = torch.tidy(() =>
        torch.noGrad(() => encode(clip, batch.pixels).to('float32').data() as Float32Array),
      );
      parts.push({ rows, values });
      batch.dispose();
      onBatch((done += rows.length));
    }
  }
  const all = (await fromAllRanks(parts)).flat().sort((a, b) => a.rows[0] - b.rows[0]);
  const features = torch.tidy(() =>
    torch.keep(torch.cat(all.map(({ rows, values }) => torch.tensor(values).view([rows.length, -1])))),
  );
  return { features, labels: Int32Array.from(all.flatMap(({ rows }) => Array.from(rows, (i) => labels[i]))) };
}

/**
 * Trains a linear layer on features: AdamW, learning rate 0.005 falling to 0 as half a cosine, no warm-up, weight decay
 * 0.01 off the bias, the last batch of an epoch kept. Each epoch shuffles anew by the seed. Nothing of it is saved: it
 * takes seconds, and a run that is resumed probes again. Where it is stopped, it ends with a sentence.
 * @param linear on the device to train on
 */
export async function trainLinear(
  linear: Linear,
  { features, labels }: LabelledFeatures,
  options: {
    epochs: number;
    batchSize: number;
    seed: number;
    signal?: AbortSignal;
    reporter: LoopParts<LabelledBatch, Agreed, ClassifierLoss>['reporter'];
  },
): Promise<void> {
  const { epochs, batchSize, seed, signal, reporter } = options;
  const batches = batchCount(labels.length, batchSize, false);
  const { device } = linear.weight;
  function* epochBatches(epoch: number): Generator<LabelledBatch> {
    const order = epochOrder(labels.length, { seed, epoch, shuffle: true });
    for (let index = 0; index < batches; index++) {
      const rows = batchRows(order, batchSize, index);
      const inputs = torch.tidy(() => features.index_select(0, torch.tensor(rows)).to({ device }));
      yield { index, rows, inputs, labels: rows.map((row) => labels[row]), dispose: () => inputs.dispose() };
    }
  }
  const end = { epoch: epochs, step: epochs * batches };
  const rate = cosineSchedule(LEARNING_RATE, 0, end.step);
  await trainLoop({
    ...classifierSteps({
      logits: (inputs) => linear.forward(inputs),
      optimizer: classifierOptimizer(linear.namedParameters()),
    }),
    name: 'Training of the classifier',
    start: { epoch: 0, batch: 0, step: 0 },
    end,
    batchesPerEpoch: () => batches,
    batches: epochBatches,
    learningRate: ({ step }) => rate(step),
    late: device !== 'cpu',
    diverged: (loss, { step }) =>
      `The loss of the classifier became ${loss} at step ${step}: the image features of the model are not finite, or ` +
      'far too large; measure another checkpoint.',
    reporter,
    signal,
  });
}
