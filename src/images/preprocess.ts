import { checkInteger } from '../integers';
import { type Tensor, torch } from '../torch';
import { decodeImage, type ImageLimits } from './image';
import { normalizeImages, resizeImage } from './kernels';
import { checkImage } from './pixels';
import { placementOf } from './placement';
import { type Geometry, geometryOf, type Statistics, statisticsOf } from './preprocess_config';

export { clipMean, clipStd } from './preprocess_config';

/** Options of {@link preprocess}. A model's `config` has all of them but the limits. */
export interface PreprocessOptions extends Geometry, Statistics, Omit<ImageLimits, 'resizedTo'> {
  /** side of the model's input in pixels; default `imageSize`, or else 224 */
  size?: number;
  /** the same under the name that a model's configuration gives it; `size` takes precedence */
  imageSize?: number;
}

/**
 * Makes the input of a CLIP model from an image: decodes it, then applies {@link resizeCrop} and {@link normalize}.
 * `Clip.preprocess` does so with the configuration of its model. Source: open_clip's `image_transform_v2`.
 *
 * @param source path, bytes of an image file, or uint8 tensor [3, H, W] on the CPU
 * @param options the `config` of a model, or the size and open_clip's `preprocess_cfg`; defaults: those of OpenAI's
 * CLIP
 * @param options.maxPixels limit of the image, like `maxBytes` and `maxSeconds`; see {@link ImageLimits}
 * @returns float32 [3, size, size]
 * @throws CleanclipError ERR_DATA: the image cannot be read, is beyond a limit, or is too narrow for the resize;
 * ERR_OPTION: an option or the tensor is invalid; ERR_TORCH: the tensor is not on the CPU; ERR_TORCH_OOM: there is not
 * enough memory
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
 * Resizes an image to a square, byte for byte as open_clip's `image_transform_v2` does with a PIL image. The modes are:
 * - `shortest` (default): resizes the short side to `size` and crops the centre, as torchvision's `Resize` and
 *   `CenterCrop` do, or with `cropRounding: 'down'` as transformers' `CLIPImageProcessor` does;
 * - `longest`: resizes the long side to `size` and pads the short side on both ends with `fillColor`;
 * - `squash`: resizes both sides to `size`, which changes the aspect ratio.
 *
 * @param image uint8 [3, H, W] on the CPU, fastest if stored channels last
 * @param size side of the result in pixels
 * @param geometry defaults: those of OpenAI's CLIP (`shortest`, antialiased `bicubic`)
 * @returns uint8 [3, size, size]; a new tensor
 * @throws CleanclipError ERR_OPTION: `image`, `size` or `geometry` is invalid; ERR_DATA: the image is so narrow that
 * the resized one would have more than 178,956,970 pixels (`shortest`) or none (`longest`); ERR_TORCH: not on the CPU
 * @example
 * ```ts
 * const square = resizeCrop(image, 224); // uint8 [3, 224, 224]
 * ```
 */
export const resizeCrop = (image: Tensor, size: number, geometry: Geometry = {}): Tensor =>
  resizeCropBy(resizeImage, image, size, geometry);

/**
 * Does what {@link resizeCrop} does with another function that resizes, on the image's device.
 *
 * @param resize takes and gives what `resizeImage` does
 */
export function resizeCropBy(resize: typeof resizeImage, image: Tensor, size: number, geometry: Geometry = {}): Tensor {
  checkSize(size);
  checkImage(image);
  const { interpolation, fillColor } = geometryOf(geometry);
  const [, height, width] = image.shape;
  const { resized, crop, left, top } = placementOf({ width, height }, size, geometry);
  const part = (): Tensor => resize(image, resized, crop, interpolation);
  if (crop.width === size && crop.height === size) return part();
  return torch.tidy(() => {
    const canvas = torch.full([3, size, size], fillColor, { dtype: 'uint8', device: image.device });
    canvas.narrow(1, top, crop.height).narrow(2, left, crop.width).copy_(part());
    return canvas;
  });
}

/**
 * The limit `resizedTo` of {@link ImageLimits} for {@link resizeCrop}: `size` in mode `shortest`, which enlarges a
 * narrow image without bound; else undefined.
 */
export const resizedTo = (size: number, geometry: Geometry): number | undefined =>
  geometryOf(geometry).resizeMode === 'shortest' ? size : undefined;

/**
 * Resizes to a square and ignores the aspect ratio (antialiased bicubic), as the Python reference does before it
 * applies a trigger.
 *
 * @param image uint8 [3, H, W] on the CPU
 * @param size side of the result in pixels
 * @returns uint8 [3, size, size]; a new tensor
 * @throws CleanclipError ERR_OPTION: `image` or `size` is invalid; ERR_TORCH: not on the CPU
 */
export const squash = (image: Tensor, size: number): Tensor => resizeCrop(image, size, { resizeMode: 'squash' });

/**
 * Scales bytes to [0, 1], subtracts the mean of each channel and divides by its standard deviation, as torchvision's
 * `ToTensor` and `Normalize` do.
 *
 * @param images uint8 [..., 3, H, W], on the CPU or a GPU
 * @param statistics `imageMean` and `imageStd`, as in a model's `config`; defaults: those of OpenAI's CLIP
 * @returns float32 of the same shape on the same device; a new tensor
 * @throws CleanclipError ERR_OPTION: `statistics` is invalid; ERR_TORCH: another shape, or on the CPU another dtype
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

/** Means and standard deviations on a GPU, float32 [3, 1, 1] each. They are copied once, because a copy blocks. */
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

const checkSize = (size: number): number => checkInteger('size', size, { least: 1, ofWhat: 'pixels' });
