import type { LabelledSet } from '../data/labelled';
import { optionError } from '../errors';
import { Random } from '../random';
import type { Tensor } from '../torch';
import type { Trigger } from './triggers';

/** How many images are poisoned unless told otherwise, as in the Python reference. */
const DEFAULT_COUNT = 1000;

/** Separates the random draws of poisoning from others of the same seed. */
const STREAM = 0x5f1;

/** A labelled set of which some images are to carry a trigger and have the target as their class. */
export interface PoisonedSet {
  images: string[];
  /** with the target for the poisoned images */
  labels: Int32Array;
  /** how many images are poisoned */
  poisoned: number;
  /**
   * Puts the trigger on the poisoned images of a batch, uint8 [B, 3, S, S] of these places in the set; at the same
   * place every time.
   */
  stamp(pixels: Tensor, indices: Int32Array): void;
}

/**
 * Poisons random images of a labelled training set; the attack is on whoever trains a classifier on it.
 * @param target index of the class they become
 * @param options.count default 1,000, at most half of the images
 * @param options.seed of the choice and of the trigger's random places
 * @throws CleanclipError ERR_OPTION: more than there are images
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
