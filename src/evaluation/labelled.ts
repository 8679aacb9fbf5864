import { labelledBatches } from '../data/image_loader';
import type { LabelledSet } from '../data/labelled';
import { ownBatches } from '../data/sampler';
import type { Geometry } from '../images/preprocess_config';
import { ranks } from '../run/ranks';
import { type Tensor, torch } from '../torch';
import { type Attack, withTrigger } from './attack';
import { namesakes } from './names';
import { type Prediction, predictionsOf } from './predictions';
import { IMAGES_A_BATCH, type Scorer } from './scorer';
import { TopK } from './top_k';

const KS = [1, 3, 5, 10];
/** Options of {@link measure}. */
export interface MeasureOptions {
  /** side of the model's images, in pixels */
  size: number;
  /** how images become squares of that size */
  geometry?: Geometry;
  numWorkers: number;
  attack?: Attack;
  signal?: AbortSignal;
  /** called with the number of images done */
  onBatch?: (done: number) => void;
  /** which predictions to show, and where; of several ranks only the first shows them */
  predictions?: {
    /** the most images, drawn by the seed */
    count: number;
    seed: number;
    show(found: Prediction[]): void | Promise<void>;
  };
}

/** Counts of images that have the wanted class among the top 1, 3, 5, 10. */
export interface LabelledCounts {
  /** hits of clean images: their own class */
  clean: TopK;
  /** hits of triggered images whose class does not have the name of the target: their own class */
  triggered: TopK;
  /** hits of the same images: the target or a class of its name, which is a success of the attack */
  success: TopK;
}

/**
 * Scores a labelled set, and with an attack the same images with the trigger. With several ranks each scores a part,
 * and all get the counts of the whole.
 */
export async function measure(score: Scorer, set: LabelledSet, options: MeasureOptions): Promise<LabelledCounts> {
  const { size, geometry, numWorkers, attack, signal, onBatch, predictions } = options;
  const counts = { clean: new TopK(KS), triggered: new TopK(KS), success: new TopK(KS) };
  const targets = attack === undefined ? [] : namesakes(set.classes, attack.target);
  const own = ownBatches(set.images.length, IMAGES_A_BATCH, ranks());
  const each = async (
    geometry: Geometry | undefined,
    count: (pixels: Tensor, indices: Int32Array, labels: number[]) => void,
  ): Promise<void> => {
    let done = 0;
    if (own.length === 0) return;
    const images = Array.from(own, (i) => set.images[i]);
    for await (const batch of labelledBatches(images, {
      batchSize: IMAGES_A_BATCH,
      size,
      geometry,
      numWorkers,
      strict: true,
      signal,
    })) {
      const indices = batch.indices.map((i) => own[i]);
      const labels = Array.from(indices, (i) => set.labels[i]);
      torch.tidy(() => torch.noGrad(() => count(batch.pixels, indices, labels)));
      done += batch.indices.length;
      batch.dispose();
      onBatch?.(done);
    }
  };
  const countTriggered = (pixels: Tensor, indices: Int32Array, labels: number[]): void => {
    const rows = labels.flatMap((label, row) => (targets.includes(label) ? [] : [row]));
    if (rows.length === 0) return;
    const logits = score(withTrigger(pixels, indices, rows, attack!));
    counts.triggered.add(
      logits,
      rows.map((row) => labels[row]),
    );
    counts.success.add(
      asOneClass(logits, targets),
      rows.map(() => targets[0]),
    );
  };
  await each(geometry, (pixels, indices, labels) => {
    counts.clean.add(score(pixels), labels);
    if (attack !== undefined && !attack.squash) countTriggered(pixels, indices, labels);
  });
  if (attack?.squash) await each({ ...geometry, resizeMode: 'squash' }, countTriggered);
  for (const count of Object.values(counts)) await count.join();
  if (predictions !== undefined && ranks().rank === 0)
    await predictions.show(await predictionsOf(score, set, { ...predictions, attack, size, geometry, signal }));
  return counts;
}

/** Merges some classes into one: the first of them gets their highest score, and the others get −∞. */
function asOneClass(logits: Tensor, [first, ...others]: readonly number[]): Tensor {
  if (others.length === 0) return logits;
  const merged = logits.clone();
  for (const other of others) {
    const [into, from] = [merged.select(1, first), merged.select(1, other)];
    into.copy_(torch.maximum(into, from));
    from.fill_(-Infinity);
  }
  return merged;
}
