import type { Classifier } from '../classify/classifier';
import type { LabelledSet } from '../data/labelled';
import { measure, type MeasureOptions } from './labelled';

/**
 * Accuracy of a classifier on a labelled set, and with an attack also how triggered images fare.
 * - `<name>_accuracy`: share of clean images whose class has the highest score.
 * A classifier has an output of its own for each of several classes of equal name; those of the target's name all count
 * as the target.
 * - `triggered_<name>_accuracy`: the same with the trigger, over the images whose class is not the target.
 * - `asr_top<k>`: share of those triggered images that have the target among the top k.
 * @param name `linear_probe` or `finetune`
 */
export async function classifierMetrics(
  name: string,
  classifier: Classifier,
  set: LabelledSet,
  options: Omit<MeasureOptions, 'size' | 'geometry'>,
): Promise<Record<string, number>> {
  const { config } = classifier.clip;
  const { clean, triggered, success } = await measure((pixels) => classifier.logits(pixels), set, {
    ...options,
    size: config.imageSize,
    geometry: config,
  });
  return {
    [`${name}_accuracy`]: clean.share(1),
    ...(options.attack && { [`triggered_${name}_accuracy`]: triggered.share(1) }),
    ...(options.attack?.asr && success.shares('asr')),
  };
}
