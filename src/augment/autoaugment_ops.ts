import { torch, type Tensor } from '../torch';
import { channelHistograms, lookupChannels } from '../torch/pixels';
import { affine, rotation, type Matrix } from './affine';

export type OperationName =
  | 'ShearX' | 'ShearY' | 'TranslateX' | 'TranslateY' | 'Rotate'
  | 'Brightness' | 'Color' | 'Contrast' | 'Sharpness'
  | 'Posterize' | 'Solarize' | 'AutoContrast' | 'Equalize' | 'Invert';

/**
 * The operations of AutoAugment on an image uint8 [H, W, 3], with PIL's arithmetic (its `ImageEnhance`, `ImageOps` and affine
 * transform) to the last bit. None changes its input; each returns uint8 [H, W, 3].
 */
export const operations: Readonly<Record<OperationName, (image: Tensor, magnitude: number) => Tensor>> = {
  ShearX: (image, slope) => transform(image, [1, slope, 0, 0, 1, 0]),
  ShearY: (image, slope) => transform(image, [1, 0, 0, slope, 1, 0]),
  TranslateX: (image, pixels) => transform(image, [1, 0, -Math.trunc(pixels), 0, 1, 0]),
  TranslateY: (image, pixels) => transform(image, [1, 0, 0, 0, 1, -Math.trunc(pixels)]),
  Rotate: (image, degrees) => transform(image, rotation(degrees, image.shape[1], image.shape[0])),

  Brightness: (image, change) => blend(torch.zeros([1]), image, 1 + change),
  Contrast: (image, change) => blend(meanGrey(image), image, 1 + change),
  Sharpness: (image, change) => blend(smoothed(image), image, 1 + change),
  Color: (image, change) => {
    const planes = image.permute([2, 0, 1]).contiguous(); // [3, H, W]
    return blend(grey(planes), planes, 1 + change).permute([1, 2, 0]);
  },

  Posterize: (image, bits) => image.bitwise_and(256 - 2 ** (8 - Math.trunc(bits))),
  Invert: (image) => image.bitwise_not(),
  Solarize: (image, threshold) => {
    const levels = Uint8Array.from({ length: 256 }, (_, value) => (value < threshold ? value : 255 - value));
    return lookup(image, [levels, levels, levels]);
  },
  AutoContrast: (image) => remap(image, stretch),
  Equalize: (image) => remap(image, equalise),
};

function transform(image: Tensor, matrix: Matrix): Tensor {
  const [height, width] = image.shape;
  return torch.tensor(affine(image.contiguous().bytes(), width, height, matrix), { shape: image.shape });
}

/** `Image.blend`: factor 0 gives `from`, 1 gives `to`, others extrapolate; in single precision, cut to bytes. */
function blend(from: Tensor, to: Tensor, factor: number): Tensor {
  const start = from.to('float32');
  return to.to('float32').sub_(start).mul_(factor).add_(start).clamp_(0, 255).to('uint8');
}

/** ITU-R 601 luma of planes [3, H, W] in 16-bit fixed point, which single precision holds exactly: [H, W] of whole numbers. */
function grey(planes: Tensor): Tensor {
  const [red, green, blue] = [0, 1, 2].map((channel) => planes.select(0, channel).to('float32'));
  return red.mul_(19595).add_(green.mul_(38470)).add_(blue.mul_(7471)).add_(0x8000).div_(65536).floor_();
}

/** The mean of the luma, rounded: a scalar. */
function meanGrey(image: Tensor): Tensor {
  return grey(image.permute([2, 0, 1])).mean({ dtype: 'float64' }).add(0.5).floor();
}

/** Mean of 3×3 pixels in which the middle one counts five times, rounded; the border stays. */
function smoothed(image: Tensor): Tensor {
  const [height, width] = [image.shape[0] - 2, image.shape[1] - 2];
  if (height < 1 || width < 1) return image;
  const inner = (pixels: Tensor): Tensor => pixels.narrow(0, 1, height).narrow(1, 1, width);
  const values = image.to('float32');
  const [above, middle, below] = [0, 1, 2].map((row) => values.narrow(0, row, height));
  const columns = above.add(middle).add_(below);
  const [left, centre, right] = [0, 1, 2].map((column) => columns.narrow(1, column, width));
  const sums = left.add(centre).add_(right).add_(inner(values), { alpha: 4 });
  const result = image.clone();
  inner(result).copy_(sums.add_(6).div_(13));
  return result;
}

/** Gives each channel the levels that follow from its histogram. */
function remap(image: Tensor, levels: (histogram: number[]) => Uint8ClampedArray): Tensor {
  const counts = channelHistograms(image);
  return lookup(image, [0, 256, 512].map((start) => levels(Array.from(counts.subarray(start, start + 256)))));
}

/** @param tables of 256 levels, one a channel */
const lookup = (image: Tensor, tables: readonly ArrayLike<number>[]): Tensor =>
  lookupChannels(image, Uint8Array.from(tables.flatMap((levels) => Array.from(levels))));

/** The highest value that occurs. */
const highest = (histogram: readonly number[]): number => histogram.reduce((high, count, value) => (count > 0 ? value : high), 0);

/** The table that maps the lowest value to 0 and the highest to 255. */
function stretch(histogram: readonly number[]): Uint8ClampedArray {
  const low = histogram.findIndex((count) => count > 0);
  const high = highest(histogram);
  const scale = high > low ? 255 / (high - low) : 1;
  const offset = high > low ? -low * scale : 0;
  return Uint8ClampedArray.from(histogram, (_, value) => Math.trunc(value * scale + offset));
}

/** The table that makes values equally frequent, in whole numbers. */
function equalise(histogram: readonly number[]): Uint8ClampedArray {
  const total = histogram.reduce((sum, count) => sum + count, 0);
  const step = Math.floor((total - histogram[highest(histogram)]) / 255);
  let below = Math.floor(step / 2);
  return Uint8ClampedArray.from(histogram, (count, value) => {
    if (step === 0) return value;
    const level = Math.floor(below / step);
    below += count;
    return level;
  });
}
