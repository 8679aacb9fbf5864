import { makeTrigger, type Trigger } from '../backdoor/triggers';
import { optionError } from '../errors';
import { compatOf } from '../options/compat';
import type { AttackOptions } from '../options/slices';
import { nameKey } from './names';

/** The attack to measure. */
export interface Attack {
  trigger: Trigger;
  /** index of the target class; of several of its name, the first */
  target: number;
  /** measure the success rate too, not the accuracy under the trigger alone */
  asr: boolean;
  /** squash triggered images to a square, where clean ones are cropped, as the Python reference does; default false */
  squash?: boolean;
  /** of the trigger's random places */
  seed: number;
}

/**
 * The attack that the options describe.
 * @param classes names, among which `label` must be
 * @param imageSize side of the model's images in pixels
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
