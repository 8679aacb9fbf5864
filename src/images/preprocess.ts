import { dataError, optionError } from '../errors';
import { type Tensor, torch } from '../torch';
import { decodeImage, type ImageLimits } from './image';
import { normalizeImages, resizeImage } from './kernels';
import { giantOf } from './limits';
import { checkImage } from './pixels';
import { type Geometry, geometryOf, type Statistics, statisticsOf } from './preprocess_config';

export { clipMean, clipStd } from './preprocess_config';

/** What {@link preprocess} makes of an image; a model's `config` has all but the limits. */
export interface PreprocessOptions extends Geometry, Statistics, Omit<ImageLimits, 'resizedTo'> {
  /** side of the model's input in pixels; default `imageSize`, or else 224 */
  size?: number;
  /** the same, as a model's configuration calls it */
  imageSize?: number;
}

/**
 * An image as a CLIP sees it: `decodeImage`, {@link resizeCrop}, {@link normalize}. `Clip.preprocess` does so as
 * its model wants it.
 *
 * @param source path, bytes of an image file, or uint8 [3, H, W]
 * @param options the size and open_clip's `preprocess_cfg`, or the `config` of a model; what is left out is OpenAI's
 * CLIP's
 * @param options.maxPixels what the image may take, as `maxBytes` and `maxSeconds`; see docs/images.md
 * @returns float32 [3, size, size]
 * @throws CleanclipError ERR_DATA as `decodeImage` and {@link resizeCrop}; ERR_OPTION: an option or the tensor is
 * wrong
 * @example
 * ```ts
 * const pixels = await preprocess('cat.jpg', clip.config); // float32 [3, 224, 224]
 * const features = clip.encodeImage(pixels.unsqueeze(0));
 * ```
 */
export async function preprocess(
  source: string | Uint8Array | Tensor,
  options: PreprocessOptions = {},
): Promise<Tensor> {
  const { maxPixels, maxBytes, maxSeconds, imageSize = 224, size = imageSize } = options;
  checkSize(size);
  const [geometry, statistics] = [geometryOf(options), statisticsOf(options)];
  const encoded = typeof source === 'string' || ArrayBuffer.isView(source);
  const image = encoded
    ? await decodeImage(source, { maxPixels, maxBytes, maxSeconds, resizedTo: resizedTo(size, geometry) })
    : source;
  try {
    return torch.tidy(() => normalize(resizeCrop(image, size, geometry), statistics));
  } finally {
    if (encoded) image.dispose();
  }
}

/**
 * Makes an image a square, as open_clip's `image_transform_v2` does on a PIL image, to the byte. By `resizeMode`:
 * - `shortest` (default): resizes the short side to `size` and cuts the square in the middle, as torchvision's `Resize`
 *   and `CenterCrop`, or with `cropRounding: 'down'` as transformers' `CLIPImageProcessor`;
 * - `longest`: resizes the long side to `size` and puts the image in the middle of a square of `fillColor`;
 * - `squash`: resizes both sides to `size`.
 *
 * @param image uint8 [3, H, W] on the CPU, fastest if stored channels last
 * @param size pixels
 * @param geometry default OpenAI's CLIP's: `shortest`, antialiased `bicubic`
 * @returns uint8 [3, size, size]
 * @throws CleanclipError ERR_OPTION: not such an image, size or geometry; ERR_DATA: so narrow that the resized image
 * would be a giant, or nothing
 * @example
 * ```ts
 * const square = resizeCrop(image, 224); // uint8 [3, 224, 224]
 * ```
 */
export function resizeCrop(image: Tensor, size: number, geometry: Geometry = {}): Tensor {
  checkSize(size);
  checkImage(image);
  const { interpolation, resizeMode, fillColor, cropRounding } = geometryOf(geometry);
  const [, height, width] = image.shape;
  const square = { width: size, height: size };
  if (resizeMode === 'squash') return resizeImage(image, square, { left: 0, top: 0, ...square }, interpolation);
  if (resizeMode === 'longest') return resizePad(image, size, interpolation, fillColor);
  const giant = giantOf(width, height, size);
  if (giant !== undefined) {
    throw dataError(
      `Expected an image that is not much longer than wide, got ${width} × ${height} pixels: ` +
        `with a short side of ${size} it would have ${giant}.`,
    );
  }
  const long = Math.trunc((size * Math.max(height, width)) / Math.min(height, width));
  const resized = width <= height ? { width: size, height: long } : { width: long, height: size };
  const round = cropRounding === 'down' ? Math.floor : roundHalfToEven;
  const [left, top] = [resized.width, resized.height].map((side) => round((side - size) / 2));
  return resizeImage(image, resized, { left, top, ...square }, interpolation);
}

/**
 * The short side that {@link resizeCrop} gives an image, where it keeps the shape and may make a giant of a narrow one.
 */
export const resizedTo = (size: number, geometry: Geometry): number | undefined =>
  geometryOf(geometry).resizeMode === 'shortest' ? size : undefined;

/** open_clip's `ResizeKeepRatio(longest=1)` and `CenterCropOrPad`. */
function resizePad(
  image: Tensor,
  size: number,
  interpolation: Required<Geometry>['interpolation'],
  fillColor: number,
): Tensor {
  const [, imageHeight, imageWidth] = image.shape;
  const ratio = Math.max(imageHeight / size, imageWidth / size);
  const [height, width] = [imageHeight, imageWidth].map((side) => roundHalfToEven(side / ratio));
  if (height === 0 || width === 0) {
    throw dataError(
      `Expected an image that is not much longer than wide, got ${imageWidth} × ${imageHeight} pixels: with a ` +
        `long side of ${size} nothing of it is left.`,
    );
  }
  const resized = (): Tensor =>
    resizeImage(image, { width, height }, { left: 0, top: 0, width, height }, interpolation);
  if (height === size && width === size) return resized();
  return torch.tidy(() => {
    const canvas = torch.full([3, size, size], fillColor, { dtype: 'uint8' });
    const [top, left] = [height, width].map((side) => Math.floor((size - side) / 2));
    canvas.narrow(1, top, height).narrow(2, left, width).copy_(resized());
    return canvas;
  });
}

/**
 * Resizes to a square whatever the shape (antialiased bicubic), as the Python reference does before it puts on a
 * trigger.
 *
 * @param image uint8 [3, H, W] on the CPU
 * @param size pixels
 * @returns uint8 [3, size, size]
 * @throws CleanclipError ERR_OPTION: not such an image or size
 */
export const squash = (image: Tensor, size: number): Tensor => resizeCrop(image, size, { resizeMode: 'squash' });

/**
 * Scales bytes to [0, 1], then by a mean and standard deviation of each channel.
 *
 * @param images uint8 [..., 3, H, W]
 * @param statistics `imageMean` and `imageStd`, as a model's `config` has them; default CLIP's
 * @returns float32 of the same shape
 * @throws CleanclipError ERR_OPTION: no such statistics
 * @example
 * ```ts
 * const pixels = normalize(image); // float32 [3, H, W]
 * ```
 */
export function normalize(images: Tensor, statistics: Statistics = {}): Tensor {
  const { imageMean, imageStd } = statisticsOf(statistics);
  if (images.device === 'cpu') return normalizeImages(images, imageMean, imageStd);
  const { mean, std } = onDevice(images.device, imageMean, imageStd);
  return torch.tidy(() => images.to('float32').div_(255).sub_(mean).div_(std));
}

const onDevices = new Map<string, { mean: Tensor; std: Tensor }>();

/** Means and standard deviations on a GPU, [3, 1, 1] each; copied there once, because a copy waits for it. */
function onDevice(
  device: string,
  imageMean: readonly number[],
  imageStd: readonly number[],
): { mean: Tensor; std: Tensor } {
  const key = [device, ...imageMean, ...imageStd].join();
  let found = onDevices.get(key);
  if (found === undefined) {
    const column = (values: readonly number[]): Tensor =>
      torch.keep(torch.tidy(() => torch.tensor(values).view([3, 1, 1]).to({ device })));
    found = { mean: column(imageMean), std: column(imageStd) };
    onDevices.set(key, found);
  }
  return found;
}

/** Python's `round`: halves go to the even neighbour. */
function roundHalfToEven(half: number): number {
  const floor = Math.floor(half);
  return half - floor > 0.5 || (half - floor === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}

function checkSize(size: number): void {
  if (!Number.isInteger(size) || size < 1) {
    throw optionError(`size must be a whole number of pixels, at least 1; got ${size}.`);
  }
}
