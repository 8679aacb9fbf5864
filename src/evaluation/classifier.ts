import type { Classifier } from '../classify/classifier';
import type { LabelledSet } from '../data/labelled';
import { measure, type MeasureOptions } from './labelled';

/**
 * Accuracy of a classifier on a labelled set, and with an attack also how triggered images fare.
 * - `<name>_accuracy`: share of clean images whose class has the highest score.
 * - `triggered_<name>_accuracy`: the same with the trigger, over the images whose class is not the target.
 * - `asr_top<k>`: share of those triggered images that have the target among the top k.
 * @param name `linear_probe` or `finetune`
 */
export async function classifierMetrics(
  name: string,
  classifier: Classifier,
  set: LabelledSet,
  options: Omit<MeasureOptions, 'size'>,
): Promise<Record<string, number>> {
  const size = classifier.clip.config.imageSize;
  const { clean, triggered, success } = await measure((pixels) => classifier.logits(pixels), set, { ...options, size });
  return {
    [`${name}_accuracy`]: clean.share(1),
    ...(options.attack && { [`triggered_${name}_accuracy`]: triggered.share(1) }),
    ...(options.attack?.asr && success.shares('asr')),
  };
}
