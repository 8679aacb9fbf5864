import { labelledBatches } from '../data/image_loader';
import type { LabelledSet } from '../data/labelled';
import { ownBatches } from '../data/sampler';
import type { Geometry } from '../images/preprocess_config';
import { Random } from '../random';
import { ranks } from '../run/ranks';
import { type Tensor, torch } from '../torch';
import type { Attack } from './attack';
import { namesakes } from './names';
import { TopK } from './top_k';

const KS = [1, 3, 5, 10];
const IMAGES_A_BATCH = 128;

/** A model's score for every class of every image: uint8 [B, 3, S, S] on the CPU → [B, classes]. */
export type Scorer = (pixels: Tensor) => Tensor;

/** How a labelled set is measured. */
export interface MeasureOptions {
  /** side of the model's images in pixels, and how they become squares */
  size: number;
  geometry?: Geometry;
  numWorkers: number;
  attack?: Attack;
  signal?: AbortSignal;
  /** told how many images are done */
  onBatch?: (done: number) => void;
}

/** Counts of images that have the wanted class among the top 1, 3, 5, 10. */
export interface LabelledCounts {
  /** clean images: their own class */
  clean: TopK;
  /** triggered images whose class is not the target, nor of its name: their own class */
  triggered: TopK;
  /** the same images: the target, or a class of its name, which is the attack's success */
  success: TopK;
}

/**
 * Scores a labelled set, and with an attack the same images with the trigger. Of several ranks each scores a part; all
 * get the counts of the whole.
 */
export async function measure(score: Scorer, set: LabelledSet, options: MeasureOptions): Promise<LabelledCounts> {
  const { size, geometry, numWorkers, attack, signal, onBatch } = options;
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
  return counts;
}

/** The scores with those of some classes taken for one: the first of them has their greatest, the others none. */
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

/** The chosen rows of uint8 [N, 3, S, S] with the trigger; its place depends on the image's index alone. */
function withTrigger(pixels: Tensor, indices: Int32Array, rows: readonly number[], { trigger, seed }: Attack): Tensor {
  return torch.stack(rows.map((row) => trigger.apply(pixels.select(0, row), new Random(seed, indices[row]))));
}
