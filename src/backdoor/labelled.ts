import type { LabelledSet } from '../data/labelled';
import { optionError } from '../errors';
import { Random } from '../random';
import type { Tensor } from '../torch';
import type { Trigger } from './triggers';

/** The default number of poisoned images, as in the Python reference. */
const DEFAULT_COUNT = 1000;

/** Separates the random draws of poisoning from other draws with the same seed. */
const STREAM = 0x5f1;

/** A labelled set in which some images get a trigger and the target class. */
export interface PoisonedSet {
  images: string[];
  /** class index of each image; the target class for poisoned images */
  labels: Int32Array;
  /** number of poisoned images */
  poisoned: number;
  /**
   * Applies the trigger in place to the poisoned images of a batch. An image gets the same trigger at the same location
   * every time.
   * @param pixels uint8 [B, 3, S, S]
   * @param indices [B], the index in the set of each image
   */
  stamp(pixels: Tensor, indices: Int32Array): void;
}

/**
 * Poisons random images of a labelled training set, to attack a classifier that is trained on it.
 * @param target index of the class that poisoned images get
 * @param options.count number of poisoned images; default 1,000, but at most half of the images
 * @param options.seed of the choice of images and of the trigger's random locations
 * @throws CleanclipError ERR_OPTION: `count` is larger than the number of images
 */
export function poisonLabelled(
  { images, labels }: Pick<LabelledSet, 'images' | 'labels'>,
  trigger: Trigger,
  target: number,
  options: { count?: number; seed: number },
): PoisonedSet {
  const { seed, count = Math.min(DEFAULT_COUNT, Math.floor(images.length / 2)) } = options;
  if (count > images.length) {
    throw optionError(
      `--num_backdoor is ${count}, but the labelled training set has ${images.length} images: expected at most ` +
        'that many.',
    );
  }
  const order = new Random(seed, STREAM).shuffle(Array.from({ length: images.length }, (_, i) => i));
  const chosen = new Set(order.slice(0, count));
  return {
    images,
    labels: labels.map((label, i) => (chosen.has(i) ? target : label)),
    poisoned: count,
    stamp(pixels, indices) {
      for (const [row, index] of indices.entries()) {
        if (!chosen.has(index)) continue;
        const image = pixels.select(0, row);
        const triggered = trigger.apply(image, new Random(seed, STREAM, index));
        image.copy_(triggered);
        image.dispose();
        triggered.dispose();
      }
    },
  };
}
