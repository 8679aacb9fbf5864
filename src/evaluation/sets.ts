import { type PoisonedSet, poisonLabelled } from '../backdoor/labelled';
import type { Classifier } from '../classify/classifier';
import { type LabelledSet, readLabelledSet } from '../data/labelled';
import { dataError } from '../errors';
import type { LabelledSetOptions, PoisonedSetOptions } from '../options/slices';
import { attackOf } from './attack';

/** The number of classes of the labelled sets that the Python reference trains classifiers on. */
const classCounts: Record<string, number> = {
  Caltech101: 102,
  CIFAR10: 10,
  CIFAR100: 100,
  DTD: 47,
  FGVCAircraft: 100,
  Flowers102: 102,
  Food101: 101,
  GTSRB: 43,
  ImageNet1K: 1000,
  OxfordIIITPet: 37,
  RenderedSST2: 2,
  StanfordCars: 196,
  STL10: 10,
  SVHN: 10,
};

/** Reads the training or the test part of the labelled set that the options name. */
async function readSet(
  { evalTestDataDir, evalTrainDataDir, evalDataType }: LabelledSetOptions,
  split: 'test' | 'train',
): Promise<LabelledSet> {
  return readLabelledSet((split === 'test' ? evalTestDataDir : evalTrainDataDir)!, { dataType: evalDataType, split });
}

/** Reads the labelled set to measure on. */
export const readTestSet = (options: LabelledSetOptions): Promise<LabelledSet> => readSet(options, 'test');

/** The images that a classifier is trained on. */
export type TrainingSet = Pick<PoisonedSet, 'images' | 'labels'> & Partial<PoisonedSet>;

/** Describes the size of a training set in words. */
export const describeSet = ({ images, poisoned }: TrainingSet): string =>
  `${images.length}${poisoned ? `, ${poisoned} of them poisoned` : ''}`;

/**
 * Reads the labelled training images of a classifier, and poisons them if the options say so.
 * @param test the set that the classifier will be measured on; it must have as many classes
 * @param imageSize side of the model's images, in pixels
 * @throws CleanclipError as `readLabelledSet`; `ERR_DATA` when the number of classes is not that of the test set, or of
 * `evalDataType`
 */
export async function readTrainingSet(
  options: PoisonedSetOptions,
  test: LabelledSet,
  imageSize: number,
): Promise<TrainingSet> {
  const { evalTrainDataDir, evalTestDataDir, evalDataType, backdoorSufi, numBackdoor, seed } = options;
  const { images, labels, classes } = await readSet(options, 'train');
  if (classes.length !== test.classes.length) {
    throw dataError(
      `${evalTrainDataDir} has ${classes.length} classes and ${evalTestDataDir} has ${test.classes.length}: ` +
        'expected the same number in both, to train a classifier on one and measure it on the other.',
    );
  }
  const expected = classCounts[evalDataType ?? ''] ?? classes.length;
  if (classes.length !== expected) {
    throw dataError(
      `${evalTrainDataDir} has ${classes.length} classes, but ${evalDataType} has ${expected}; fix the ` +
        'classes, or leave out --eval_data_type.',
    );
  }
  if (!backdoorSufi) return { images, labels };
  const { trigger, target } = attackOf(options, test.classes, imageSize);
  return poisonLabelled({ images, labels }, trigger, target, { count: numBackdoor, seed });
}

/**
 * Checks that a classifier has an output for each class of the set that it is measured on.
 * @param path file of the classifier, for the message
 * @throws CleanclipError `ERR_DATA` when the numbers differ
 */
export function checkOutputs({ linear }: Classifier, { classes }: LabelledSet, path = ''): void {
  const [outputs] = linear.bias.shape;
  if (outputs === classes.length) return;
  throw dataError(
    `The classifier of '${path}' has ${outputs} classes, and the labelled set has ${classes.length}; measure it ` +
      'on the set that it was trained for.',
  );
}
