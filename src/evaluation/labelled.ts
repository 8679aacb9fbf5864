import type { Trigger } from '../backdoor/triggers';
import type { Clip } from '../clip/model';
import { normalize } from '../clip/preprocess';
import { labelledBatches } from '../data/image_loader';
import type { LabelledSet } from '../data/labelled';
import { Random } from '../random';
import { torch, type Tensor } from '../torch';
import { classEmbeddings, TopK, unit } from './zeroshot';

const KS = [1, 3, 5, 10];
const IMAGES_A_BATCH = 128;

/** The attack to measure. */
export interface Attack {
  trigger: Trigger;
  /** index of the target class */
  target: number;
  /** measure the success rate too, not the accuracy under the trigger alone */
  asr: boolean;
  /** of the trigger's random places */
  seed: number;
}

/**
 * Zero-shot accuracy on a labelled set, and with an attack also how triggered images fare.
 * - `zeroshot_top<k>`: share of clean images whose class is among the top k.
 * - `triggered_zeroshot_top<k>`: the same with the trigger, over the images whose class is not the target.
 * - `asr_top<k>`: share of those triggered images that have the target among the top k.
 */
export async function zeroshotMetrics(
  clip: Clip,
  set: LabelledSet,
  options: { device: string; numWorkers: number; attack?: Attack; signal?: AbortSignal; onBatch?: (done: number) => void },
): Promise<Record<string, number>> {
  const { device, numWorkers, attack, signal, onBatch } = options;
  const clean = new TopK(KS);
  const triggered = new TopK(KS);
  const success = new TopK(KS);
  const embeddings = classEmbeddings(clip, set.classes, set.templates, device); // [C, D]
  const logitsOf = (pixels: Tensor): Tensor =>
    unit(clip.encodeImage(normalize(pixels.to({ device }))).to('float32')).mm(embeddings.t());
  try {
    let done = 0;
    const size = clip.config.imageSize;
    for await (const batch of labelledBatches(set.images, { batchSize: IMAGES_A_BATCH, size, numWorkers, strict: true, signal })) {
      torch.tidy(() =>
        torch.noGrad(() => {
          const labels = Array.from(batch.indices, (i) => set.labels[i]);
          clean.add(logitsOf(batch.pixels), classIds(labels, device));
          if (attack === undefined) return;
          const rows = labels.flatMap((label, row) => (label === attack.target ? [] : [row]));
          if (rows.length === 0) return;
          const logits = logitsOf(withTrigger(batch.pixels, batch.indices, rows, attack));
          triggered.add(logits, classIds(rows.map((row) => labels[row]), device));
          success.add(logits, classIds(rows.map(() => attack.target), device));
        }),
      );
      done += batch.indices.length;
      batch.dispose();
      onBatch?.(done);
    }
  } finally {
    embeddings.dispose();
  }
  return {
    ...clean.shares('zeroshot'),
    ...(attack && triggered.shares('triggered_zeroshot')),
    ...(attack?.asr && success.shares('asr')),
  };
}

const classIds = (labels: readonly number[], device: string): Tensor =>
  torch.tensor(BigInt64Array.from(labels, BigInt)).to({ device });

/** The chosen rows of uint8 [N, 3, S, S] with the trigger; its place depends on the image's index alone. */
function withTrigger(pixels: Tensor, indices: Int32Array, rows: readonly number[], { trigger, seed }: Attack): Tensor {
  return torch.stack(rows.map((row) => trigger.apply(pixels.select(0, row), new Random(seed, indices[row]))));
}
