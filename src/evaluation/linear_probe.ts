import { encode, type Linear } from '../classify/classifier';
import { type ClassifierLoss, classifierOptimizer, classifierSteps, type LabelledBatch } from '../classify/steps';
import type { Clip } from '../clip/model';
import type { BadImage } from '../data/batch';
import { labelledBatches } from '../data/image_loader';
import { batchCount, batchRows, epochOrder, ownBatches } from '../data/sampler';
import type { Geometry } from '../images/preprocess_config';
import { trainLoop } from '../run/loop';
import type { Agreed, LoopParts } from '../run/loop_parts';
import { fromAllRanks, ranks } from '../run/ranks';
import { type Tensor, torch } from '../torch';
import { cosineSchedule } from '../torch/schedule';
import { IMAGES_A_BATCH } from './scorer';
import type { TrainingSet } from './sets';

/** Rate and weight decay of the reference's linear probe. */
const PROBE = { lr: 0.005, weightDecay: 0.01 };

/** Image features and their classes. */
export interface LabelledFeatures {
  /** float32 [N, D] on the CPU */
  features: Tensor;
  /** class indices, [N] */
  labels: Int32Array;
  /** indices of the images in the set, [N] */
  rows: Int32Array;
}

/**
 * Computes the features of all images that can be read, once. They take 4·N·D bytes: 200 MB for 50,000 images of an
 * RN50. With several ranks each computes a part, and all get the whole.
 * @throws CleanclipError `ERR_DATA` as `labelledBatches`; `ERR_ABORTED` by the signal
 */
export async function encodeSet(
  clip: Clip,
  { images, labels, stamp }: TrainingSet,
  options: {
    numWorkers: number;
    strict: boolean;
    /** how images become squares; default: as the model wants it */
    geometry?: Geometry;
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
      { geometry: clip.config, ...loading, batchSize: IMAGES_A_BATCH, size: clip.config.imageSize },
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
  const rows = Int32Array.from(all.flatMap(({ rows }) => Array.from(rows)));
  return { features, labels: rows.map((i) => labels[i]), rows };
}

/**
 * Trains a linear layer on features with AdamW. The learning rate falls to 0 along half a cosine, without warm-up. The
 * last batch of an epoch is kept, and each epoch has a new order drawn from the seed. Nothing is saved: the training
 * takes seconds, and a resumed run repeats it.
 * @param linear the layer, on the device to train on
 * @param options.lr learning rate at the start; default 0.005
 * @param options.weightDecay weight decay, none for the bias; default 0.01
 * @throws CleanclipError `ERR_DATA` when the loss is not finite; `ERR_ABORTED` by the signal
 */
export async function trainLinear(
  linear: Linear,
  { features, labels }: Pick<LabelledFeatures, 'features' | 'labels'>,
  options: {
    epochs: number;
    batchSize: number;
    seed: number;
    lr?: number;
    weightDecay?: number;
    signal?: AbortSignal;
    reporter: LoopParts<LabelledBatch, Agreed, ClassifierLoss>['reporter'];
  },
): Promise<void> {
  const { epochs, batchSize, seed, signal, reporter, lr = PROBE.lr, weightDecay = PROBE.weightDecay } = options;
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
  const rate = cosineSchedule(lr, 0, end.step);
  await trainLoop({
    ...classifierSteps({
      logits: (inputs) => linear.forward(inputs),
      optimizer: classifierOptimizer(linear.namedParameters(), weightDecay),
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
