import { optionError } from '../errors';
import { augmentImage } from '../images/kernels';
import { checkImage } from '../images/pixels';
import { checkInteger } from '../integers';
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

/** An operation, its probability, and the bin of its magnitude from 0 to 9 (absent if it has no magnitude). */
type Step = readonly [name: OperationName, probability: number, bin?: number];

/** The ImageNet policy (Cubuk et al. 2019, AutoAugment, table 9) in its order. Its duplicates are in the paper too. */
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
 * Augments an image by AutoAugment's ImageNet policy (Cubuk et al. 2019), as `torchvision.transforms.AutoAugment` does
 * with a PIL image: nearest interpolation, black fill. It picks one of 25 sub-policies at random and applies each of
 * its two operations with the operation's probability and a random sign.
 *
 * @param image uint8 [3, H, W] on the CPU; H and W are at most 1,048,576
 * @param options.random generator of the choices; default: a new one, seeded with `seed`
 * @param options.seed an integer; the same seed gives the same choices; default: a random one
 * @returns uint8 [3, H, W]; a new tensor
 * @throws CleanclipError ERR_OPTION: `image` or `seed` is invalid; ERR_TORCH: the image is not on the CPU or is too
 * long
 * @example
 * ```ts
 * const augmented = autoAugment(image, { seed: 0 });
 * ```
 */
export function autoAugment(image: Tensor, options: { seed?: number; random?: Random } = {}): Tensor {
  const { seed = Math.floor(Math.random() * 2 ** 32) } = options;
  checkInteger('seed', seed);
  checkImage(image);
  const [, height, width] = image.shape;
  return augmentImage(image, drawSteps(options.random ?? new Random(seed), { width, height }));
}

/**
 * Draws what {@link autoAugment} does to an image.
 *
 * @param size of the image in pixels: translations are shares of it
 * @returns at most two operations, each with its magnitude
 */
export function drawSteps(random: Random, size: { width: number; height: number }): [OperationName, number][] {
  const steps = random.choice(imageNetPolicy);
  const chances = [random.next(), random.next()];
  const signs = [random.int(2), random.int(2)];
  return steps.flatMap(([name, probability, bin = 0], i): [OperationName, number][] => {
    if (chances[i] >= probability) return [];
    const magnitude = magnitudeOf(name, bin, size);
    return [[name, signed.has(name) && signs[i] === 0 ? -magnitude : magnitude]];
  });
}

/**
 * Applies one operation of AutoAugment. The result equals what torchvision and PIL compute for that magnitude.
 *
 * The magnitude of each operation is:
 * - `ShearX`, `ShearY`: the slope;
 * - `TranslateX`, `TranslateY`: pixels;
 * - `Rotate`: degrees, counter-clockwise;
 * - `Brightness`, `Color`, `Contrast`, `Sharpness`: the factor minus 1; 0 leaves the image, and −1 makes it black,
 *   grey, mean grey or blurred;
 * - `Posterize`: the number of bits to keep, 1 to 8;
 * - `Solarize`: the level from which values are inverted;
 * - `AutoContrast`, `Equalize`, `Invert`: none.
 *
 * @param image uint8 [3, H, W] on the CPU; H and W are at most 1,048,576
 * @param name of the operation, as torchvision spells it
 * @param magnitude in the unit of the operation, with its sign; default 0
 * @returns uint8 [3, H, W]; a new tensor
 * @throws CleanclipError ERR_OPTION: `image`, `name` or `magnitude` is invalid; ERR_TORCH: the image is not on the CPU
 * or is too long
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
 * The magnitude of a bin (0 to 9) in float32, as torchvision computes it.
 *
 * @param size of the image in pixels, which scales translations
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

/** Element `bin` of `torch.linspace(start, end, 10)` in float32. Like torch, it counts from the nearer end. */
function linspace(start: number, end: number, bin: number): number {
  const float = Math.fround;
  const step = float(float(float(end) - float(start)) / 9);
  return bin < 5 ? float(float(start) + float(step * bin)) : float(float(end) - float(step * (9 - bin)));
}
