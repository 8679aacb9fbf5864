import { optionError } from '../errors';
import { augmentImage } from '../images/kernels';
import { checkImage } from '../images/pixels';
import { Random } from '../random';
import { show } from '../show';
import type { Tensor } from '../torch';

/** The operations of AutoAugment, by torchvision's names. */
export const operationNames = [
  'ShearX',
  'ShearY',
  'TranslateX',
  'TranslateY',
  'Rotate',
  'Brightness',
  'Color',
  'Contrast',
  'Sharpness',
  'Posterize',
  'Solarize',
  'AutoContrast',
  'Equalize',
  'Invert',
] as const;

/** One operation of AutoAugment by its name. */
export type OperationName = (typeof operationNames)[number];

/** Operation, its probability, and its magnitude as one of ten bins (absent where it has none). */
type Step = readonly [name: OperationName, probability: number, bin?: number];

/** The policy found on ImageNet (Cubuk et al. 2019, AutoAugment, table 9), in its order; doubles are doubles there. */
export const imageNetPolicy: readonly (readonly [Step, Step])[] = [
  [
    ['Posterize', 0.4, 8],
    ['Rotate', 0.6, 9],
  ],
  [
    ['Solarize', 0.6, 5],
    ['AutoContrast', 0.6],
  ],
  [
    ['Equalize', 0.8],
    ['Equalize', 0.6],
  ],
  [
    ['Posterize', 0.6, 7],
    ['Posterize', 0.6, 6],
  ],
  [
    ['Equalize', 0.4],
    ['Solarize', 0.2, 4],
  ],
  [
    ['Equalize', 0.4],
    ['Rotate', 0.8, 8],
  ],
  [
    ['Solarize', 0.6, 3],
    ['Equalize', 0.6],
  ],
  [
    ['Posterize', 0.8, 5],
    ['Equalize', 1],
  ],
  [
    ['Rotate', 0.2, 3],
    ['Solarize', 0.6, 8],
  ],
  [
    ['Equalize', 0.6],
    ['Posterize', 0.4, 6],
  ],
  [
    ['Rotate', 0.8, 8],
    ['Color', 0.4, 0],
  ],
  [
    ['Rotate', 0.4, 9],
    ['Equalize', 0.6],
  ],
  [
    ['Equalize', 0],
    ['Equalize', 0.8],
  ],
  [
    ['Invert', 0.6],
    ['Equalize', 1],
  ],
  [
    ['Color', 0.6, 4],
    ['Contrast', 1, 8],
  ],
  [
    ['Rotate', 0.8, 8],
    ['Color', 1, 2],
  ],
  [
    ['Color', 0.8, 8],
    ['Solarize', 0.8, 7],
  ],
  [
    ['Sharpness', 0.4, 7],
    ['Invert', 0.6],
  ],
  [
    ['ShearX', 0.6, 5],
    ['Equalize', 1],
  ],
  [
    ['Color', 0.4, 0],
    ['Equalize', 0.6],
  ],
  [
    ['Equalize', 0.4],
    ['Solarize', 0.2, 4],
  ],
  [
    ['Solarize', 0.6, 5],
    ['AutoContrast', 0.6],
  ],
  [
    ['Invert', 0.6],
    ['Equalize', 1],
  ],
  [
    ['Color', 0.6, 4],
    ['Contrast', 1, 8],
  ],
  [
    ['Equalize', 0.8],
    ['Equalize', 0.6],
  ],
];

const signed: ReadonlySet<OperationName> = new Set<OperationName>([
  'ShearX',
  'ShearY',
  'TranslateX',
  'TranslateY',
  'Rotate',
  'Brightness',
  'Color',
  'Contrast',
  'Sharpness',
]);

/**
 * AutoAugment with the ImageNet policy, as `torchvision.transforms.AutoAugment` applies it to a PIL image (nearest
 * interpolation, black where nothing falls): one of 25 sub-policies at random, of its two steps each with its
 * probability, signs at random.
 *
 * @param image uint8 [3, H, W]
 * @param options.random the source of the choices; by default one of its own
 * @param options.seed a whole number: the same seed, the same choices; by default they differ from call to call
 * @returns uint8 [3, H, W]; a new tensor
 * @throws CleanclipError ERR_OPTION: not such an image, or not such a seed
 * @example
 * ```ts
 * const augmented = autoAugment(image, { seed: 0 });
 * ```
 */
export function autoAugment(image: Tensor, options: { seed?: number; random?: Random } = {}): Tensor {
  const { seed = Math.floor(Math.random() * 2 ** 32) } = options;
  if (!Number.isSafeInteger(seed)) throw optionError(`seed must be a whole number; got ${show(seed)}.`);
  checkImage(image);
  const random = options.random ?? new Random(seed);
  const [, height, width] = image.shape;
  const steps = random.choice(imageNetPolicy);
  const chances = [random.next(), random.next()];
  const signs = [random.int(2), random.int(2)];
  const applied = steps.flatMap(([name, probability, bin = 0], i): [OperationName, number][] => {
    if (chances[i] >= probability) return [];
    const magnitude = magnitudeOf(name, bin, { width, height });
    return [[name, signed.has(name) && signs[i] === 0 ? -magnitude : magnitude]];
  });
  return augmentImage(image, applied);
}

/**
 * One operation of AutoAugment, equal to what torchvision and PIL compute for that magnitude.
 *
 * @param image uint8 [3, H, W]
 * @param name ShearX, ShearY (slope), TranslateX, TranslateY (pixels), Rotate (degrees, counter-clockwise), Brightness,
 * Color, Contrast, Sharpness (0 leaves the image, −1 gives black, grey, mean grey, blurred), Posterize (bits to keep,
 * 1–8), Solarize (level from which values are inverted), AutoContrast, Equalize, Invert (no magnitude)
 * @param magnitude in the operation's unit, with its sign; default 0
 * @returns uint8 [3, H, W]; a new tensor
 * @throws CleanclipError ERR_OPTION: unknown name, a magnitude that is not a number, not such an image
 * @example
 * ```ts
 * const turned = autoAugmentOp(image, 'Rotate', 30);
 * ```
 */
export function autoAugmentOp(image: Tensor, name: OperationName, magnitude = 0): Tensor {
  if (!operationNames.includes(name)) {
    throw optionError(`name must be one of ${operationNames.join(', ')}; got ${show(name)}.`);
  }
  if (!Number.isFinite(magnitude))
    throw optionError(`magnitude of ${name} must be a finite number; got ${show(magnitude)}.`);
  if (name === 'Posterize' && (magnitude < 1 || magnitude >= 9)) {
    throw optionError(`magnitude of Posterize must be a number of bits from 1 to 8; got ${magnitude}.`);
  }
  checkImage(image);
  return augmentImage(image, [[name, magnitude]]);
}

/**
 * The magnitude of a bin (0–9), in single precision as torchvision computes it.
 *
 * @param size of the image: translations are shares of it
 */
export function magnitudeOf(name: OperationName, bin: number, size: { width: number; height: number }): number {
  switch (name) {
    case 'ShearX':
    case 'ShearY':
      return linspace(0, 0.3, bin);
    case 'TranslateX':
      return linspace(0, (150 / 331) * size.width, bin);
    case 'TranslateY':
      return linspace(0, (150 / 331) * size.height, bin);
    case 'Rotate':
      return linspace(0, 30, bin);
    case 'Posterize':
      return 8 - Math.round(bin / 2.25);
    case 'Solarize':
      return linspace(255, 0, bin);
    case 'AutoContrast':
    case 'Equalize':
    case 'Invert':
      return 0;
    default:
      return linspace(0, 0.9, bin);
  }
}

/** Element `bin` of `torch.linspace(start, end, 10)` in float32, which counts from the nearer end. */
function linspace(start: number, end: number, bin: number): number {
  const float = Math.fround;
  const step = float(float(float(end) - float(start)) / 9);
  return bin < 5 ? float(float(start) + float(step * bin)) : float(float(end) - float(step * (9 - bin)));
}
