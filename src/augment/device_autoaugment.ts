import { type Tensor, torch } from '../torch';
import type { OperationName } from './autoaugment';

/** Changes a uint8 image [3, H, W]. */
type Operation = (image: Tensor, magnitude: number) => Tensor;

/** The result at (x, y) shows the image at (a·x + b·y + c, d·x + e·y + f), where pixels have their centre at ½. */
type Matrix = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

const FRACTION_BITS = 16; // positions are integers in units of 2⁻¹⁶, as in PIL
const FURTHEST = 2 ** 26; // a position beyond it is outside any image
const LEVELS = 256;

const operations: Record<OperationName, Operation> = {
  ShearX: (image, slope) => transform(image, [1, slope, 0, 0, 1, 0]),
  ShearY: (image, slope) => transform(image, [1, 0, 0, slope, 1, 0]),
  TranslateX: (image, pixels) => transform(image, [1, 0, -Math.trunc(pixels), 0, 1, 0]),
  TranslateY: (image, pixels) => transform(image, [1, 0, 0, 0, 1, -Math.trunc(pixels)]),
  Rotate: (image, degrees) => transform(image, rotation(degrees, image)),
  Brightness: (image, change) => blend(0, image, change),
  Color: (image, change) => blend(greyOf(image).to('float32'), image, change),
  Contrast: (image, change) => blend(meanGrey(image), image, change),
  Sharpness: sharpen,
  Posterize: (image, bits) => image.bitwise_and((0xff << (8 - Math.trunc(bits))) & 0xff),
  Solarize: (image, threshold) => torch.where(image.lt(threshold), image, image.bitwise_not()),
  AutoContrast: stretch,
  Equalize: equalize,
  Invert: (image) => image.bitwise_not(),
};

/**
 * Applies operations of AutoAugment as `augmentImage` does, by torch's operators on the image's device. Nothing in it
 * waits for a GPU. The bytes are those of PIL.
 *
 * @param image uint8 [3, H, W], fastest if contiguous
 * @param steps each a name and a magnitude, see `autoAugmentOp`
 * @returns uint8 [3, H, W]; the image itself without steps
 */
export const augmentOnDevice = (image: Tensor, steps: readonly [OperationName, number][]): Tensor =>
  torch.tidy(() => steps.reduce((changed, [name, magnitude]) => operations[name](changed, magnitude), image));

/** The matrix of PIL's `Image.rotate`: counter-clockwise about the middle, sine and cosine rounded to 15 decimals. */
function rotation(degrees: number, { shape: [, height, width] }: Tensor): Matrix {
  const rounded = (value: number): number => (Math.sign(value) * Math.round(Math.abs(value) * 1e15)) / 1e15;
  const angle = -(((degrees % 360) + 360) % 360) * (Math.PI / 180);
  const [cos, sin] = [rounded(Math.cos(angle)), rounded(Math.sin(angle))];
  const [x, y] = [width / 2, height / 2];
  return [cos, sin, cos * -x + sin * -y + x, -sin, cos, sin * x + cos * -y + y];
}

/** Does PIL's `Image.transform(size, AFFINE, matrix)`: takes the nearest pixel, and black outside the image. */
function transform(image: Tensor, [a, b, c, d, e, f]: Matrix): Tensor {
  const [, height, width] = image.shape;
  const { device } = image;
  const fixed = (value: number): number =>
    Math.floor(Math.min(Math.max(value, -FURTHEST), FURTHEST) * 2 ** FRACTION_BITS + 0.5);
  const [x, y] = [torch.arange(width, { device }), torch.arange(height, { device }).unsqueeze(1)];
  const position = (along: number, across: number, start: number): Tensor =>
    x
      .mul(fixed(along))
      .add(y.mul(fixed(across)))
      .add(fixed(start + along * 0.5 + across * 0.5))
      .bitwise_right_shift(FRACTION_BITS); // int64 [H, W]
  const [column, row] = [position(a, b, c), position(d, e, f)];
  const inside = (at: Tensor, length: number): Tensor => at.ge(0).logical_and(at.lt(length));
  const from = row
    .clamp(0, height - 1)
    .mul(width)
    .add(column.clamp(0, width - 1));
  const moved = image.reshape([3, -1]).index_select(1, from.flatten()).view([3, height, width]);
  return moved.mul(inside(column, width).logical_and(inside(row, height)));
}

/** Does PIL's `Image.blend`: a change of −1 gives `start`, 0 the image; others extrapolate. */
const blend = (start: number | Tensor, image: Tensor, change: number): Tensor =>
  image
    .to('float32')
    .sub(start as Tensor)
    .mul(Math.fround(1 + change))
    .add(start as Tensor)
    .clamp(0, 255)
    .to('uint8');

/** The luma of each pixel, int32 [H, W]. */
function greyOf(image: Tensor): Tensor {
  const [red, green, blue] = image.to('int32').unbind();
  return red.mul(19595).add(green.mul(38470)).add(blue.mul(7471)).add(0x8000).bitwise_right_shift(16);
}

/** The mean luma, rounded: a float32 scalar on the device. */
function meanGrey(image: Tensor): Tensor {
  const [, height, width] = image.shape;
  return greyOf(image)
    .sum()
    .to('float64')
    .div(height * width)
    .add(0.5)
    .floor()
    .to('float32');
}

/** Blends with the mean of 3×3 pixels in which the middle one counts five times; the border stays. */
function sharpen(image: Tensor, change: number): Tensor {
  const [, height, width] = image.shape;
  if (height < 3 || width < 3) return image;
  const inner = (pixels: Tensor): Tensor => pixels.narrow(1, 1, height - 2).narrow(2, 1, width - 2);
  const threes = (pixels: Tensor, dim: number, count: number): Tensor =>
    pixels
      .narrow(dim, 0, count)
      .add(pixels.narrow(dim, 1, count))
      .add(pixels.narrow(dim, 2, count));
  const pixels = image.to('int32');
  const sums = threes(threes(pixels, 1, height - 2), 2, width - 2).add(inner(pixels).mul(4));
  const smooth = sums.add(6).div(13, { rounding_mode: 'floor' }).to('float32');
  const result = image.clone();
  inner(result).copy_(blend(smooth, inner(image), change));
  return result;
}

/** Does PIL's `ImageOps.autocontrast`: the lowest level of each channel becomes 0, the highest 255. */
function stretch(image: Tensor): Tensor {
  const low = image.amin([1, 2]).to('float64').unsqueeze(1); // [3, 1]
  const range = image.amax([1, 2]).to('float64').unsqueeze(1).sub(low);
  const whole = torch.full([], LEVELS - 1, { dtype: 'float64', device: image.device });
  const scale = whole.div(range.add(range.eq(0).mul(LEVELS - 1))); // a plain channel stays as it is
  const offset = low.neg().mul(scale).mul(range.gt(0));
  return lookUp(image, levelsOn(image.device).mul(scale).add(offset).clamp(0, 255));
}

/** Does PIL's `ImageOps.equalize`: the levels of each channel become equally frequent. */
function equalize(image: Tensor): Tensor {
  const [, height, width] = image.shape;
  const { device } = image;
  const options = { dtype: 'int64', device } as const;
  const divided = (tensor: Tensor, by: Tensor | number): Tensor => tensor.div(by as Tensor, { rounding_mode: 'floor' });
  const flat = image.reshape([3, -1]).to('int64');
  const counts = torch.zeros([3, LEVELS], options).scatter_add_(1, flat, torch.ones([1, 1], options).expand_as(flat));
  const last = counts.gather(1, flat.amax([1], true)); // [3, 1], of the highest level
  const step = divided(last.neg().add(height * width), LEVELS - 1);
  const below = counts.cumsum(1).sub(counts).add(divided(step, 2)); // [3, 256]
  const equal = divided(below, step.clamp(1)).clamp(0, LEVELS - 1);
  return lookUp(image, torch.where(step.gt(0), equal, levelsOn(device)));
}

const levelsOn = (device: string): Tensor => torch.arange(LEVELS, { device });

/** Replaces each level of a channel by that of `table`, [3, 256], truncated to an integer. */
const lookUp = (image: Tensor, table: Tensor): Tensor =>
  table
    .to('uint8')
    .gather(1, image.reshape([3, -1]).to('int64'))
    .view(image.shape);
