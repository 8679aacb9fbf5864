import { makeTrigger, type Trigger } from '../backdoor/triggers';
import { optionError } from '../errors';
import { compatOf } from '../options/compat';
import type { AttackOptions } from '../options/slices';
import { Random } from '../random';
import { type Tensor, torch } from '../torch';
import { nameKey } from './names';

/** The attack to measure. */
export interface Attack {
  trigger: Trigger;
  /** index of the target class; the first of them when several have its name */
  target: number;
  /** whether to measure the success rate too, not only the accuracy under the trigger */
  asr: boolean;
  /**
   * whether to squash triggered images to a square, as the Python reference does, and crop only clean ones; default
   * false
   */
  squash?: boolean;
  /** seed of the trigger's random places */
  seed: number;
}

/**
 * Makes the attack that the options describe.
 * @param classes names of the classes; `label` must be one of them
 * @param imageSize side of the model's images, in pixels
 * @throws CleanclipError `ERR_OPTION` when `label` is not a class
 */
export function attackOf(options: AttackOptions, classes: readonly string[], imageSize: number): Attack {
  const { label, asr, seed, triggerSeed = seed } = options;
  const target = classes.findIndex((name) => nameKey(name) === nameKey(label));
  if (target < 0) {
    const some = classes.slice(0, 5).join(', ');
    throw optionError(`--label must be one of the ${classes.length} classes (${some}, …), but is '${label}'.`);
  }
  const { wrapsTriggers, squashesImages } = compatOf(options);
  return {
    trigger: makeTrigger({ ...options, compat: wrapsTriggers, seed: triggerSeed, imageSize }),
    target,
    asr,
    squash: squashesImages,
    seed,
  };
}

/**
 * Returns the chosen rows of uint8 [N, 3, S, S] with the trigger. Its random place depends only on the index of the
 * image.
 */
export function withTrigger(
  pixels: Tensor,
  indices: Int32Array,
  rows: readonly number[],
  { trigger, seed }: Attack,
): Tensor {
  return torch.stack(rows.map((row) => trigger.apply(pixels.select(0, row), new Random(seed, indices[row]))));
}
