import type { Classifier } from '../classify/classifier';
import type { LabelledSet } from '../data/labelled';
import { measure, type MeasureOptions } from './labelled';

/**
 * Measures the accuracy of a classifier on a labelled set, and with an attack also its results on triggered images.
 * - `<name>_accuracy`: share of clean images whose class has the highest score.
 * - `triggered_<name>_accuracy`: the same with the trigger, over the images whose class is not the target.
 * - `asr_top<k>`: share of those triggered images that have the target among the top k.
 *
 * A classifier has a separate output for each of several classes of equal name. All classes with the name of the target
 * count as the target.
 * @param name `linear_probe` or `finetune`
 * @returns the metrics by name, as fractions from 0 to 1
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
