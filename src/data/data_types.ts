/** The names of the labelled sets that the Python reference knows. */
export const evalDataTypes = [
  'Caltech101',
  'CIFAR10',
  'CIFAR100',
  'DTD',
  'FGVCAircraft',
  'Flowers102',
  'Food101',
  'GTSRB',
  'ImageNet1K',
  'OxfordIIITPet',
  'RenderedSST2',
  'StanfordCars',
  'STL10',
  'SVHN',
  'ImageNetSketch',
  'ImageNetV2',
  'ImageNet-A',
  'ImageNet-R',
] as const;

/** The name of a known labelled set. */
export type EvalDataType = (typeof evalDataTypes)[number];
