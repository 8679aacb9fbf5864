import { decodeImage, type ImageLimits } from '../images/image';
import { giantOf } from '../images/limits';
import { checkImage } from '../images/pixels';
import { dataError, optionError } from '../errors';
import { torch, type Tensor } from '../torch';
import { normalizeImages, resizeImage } from '../torch/images';

/** CLIP's channel means and standard deviations of pixel values in [0, 1] (Radford et al. 2021). */
export const clipMean = [0.48145466, 0.4578275, 0.40821073] as const;
export const clipStd = [0.26862954, 0.26130258, 0.27577711] as const;

/**
 * An image as CLIP sees it: {@link decodeImage}, {@link resizeCrop}, {@link normalize}.
 *
 * @param source path, bytes of an image file, or uint8 [3, H, W]
 * @param options.size side of the model's input in pixels; default 224
 * @param options.maxPixels, options.maxBytes, options.maxSeconds what the image may take; see docs/images.md
 * @returns float32 [3, size, size]
 * @throws CleanclipError ERR_DATA as {@link decodeImage}; ERR_OPTION: the size or the tensor is wrong
 */
export async function preprocess(source: string | Uint8Array | Tensor, options: { size?: number } & Omit<ImageLimits, 'resizedTo'> = {}): Promise<Tensor> {
  const { size = 224, ...limits } = options;
  checkSize(size);
  const encoded = typeof source === 'string' || ArrayBuffer.isView(source);
  const image = encoded ? await decodeImage(source, { ...limits, resizedTo: size }) : source;
  try {
    return torch.tidy(() => normalize(resizeCrop(image, size)));
  } finally {
    if (encoded) image.dispose();
  }
}

/**
 * Resizes the short side to `size` (antialiased bicubic) and cuts the square in the middle, as torchvision's
 * `Resize(size, BICUBIC)` and `CenterCrop(size)` do on a PIL image, to the byte.
 *
 * @param image uint8 [3, H, W] on the CPU, fastest if stored channels last
 * @param size pixels
 * @returns uint8 [3, size, size]
 * @throws CleanclipError ERR_OPTION: not such an image or size; ERR_DATA: so narrow that the resized image would be a giant
 */
export function resizeCrop(image: Tensor, size: number): Tensor {
  checkSize(size);
  checkImage(image);
  const [, height, width] = image.shape;
  const giant = giantOf(width, height, size);
  if (giant !== undefined) {
    throw dataError(
      `Expected an image that is not much longer than wide, got ${width} × ${height} pixels: ` +
        `with a short side of ${size} it would have ${giant}.`,
    );
  }
  const long = Math.trunc((size * Math.max(height, width)) / Math.min(height, width));
  const resized = width <= height ? { width: size, height: long } : { width: long, height: size };
  const left = roundHalfToEven((resized.width - size) / 2);
  const top = roundHalfToEven((resized.height - size) / 2);
  return resizeImage(image, resized, { left, top, width: size, height: size });
}

/**
 * Resizes to a square whatever the shape (antialiased bicubic), as the Python reference does before it puts on a trigger.
 *
 * @param image uint8 [3, H, W] on the CPU
 * @param size pixels
 * @returns uint8 [3, size, size]
 * @throws CleanclipError ERR_OPTION: not such an image or size
 */
export function squash(image: Tensor, size: number): Tensor {
  checkSize(size);
  checkImage(image);
  const square = { width: size, height: size };
  return resizeImage(image, square, { left: 0, top: 0, ...square });
}

/**
 * Scales bytes to [0, 1], then by CLIP's mean and standard deviation.
 *
 * @param images uint8 [..., 3, H, W]
 * @returns float32 of the same shape
 */
export function normalize(images: Tensor): Tensor {
  if (images.device === 'cpu') return normalizeImages(images, clipMean, clipStd);
  const { mean, std } = statistics(images.device);
  return torch.tidy(() => images.to('float32').div_(255).sub_(mean).div_(std));
}

const onDevices = new Map<string, { mean: Tensor; std: Tensor }>();

/** CLIP's means and standard deviations on a GPU, [3, 1, 1] each; copied there once, because a copy waits for it. */
function statistics(device: string): { mean: Tensor; std: Tensor } {
  let found = onDevices.get(device);
  if (found === undefined) {
    const column = (values: readonly number[]): Tensor => torch.keep(torch.tidy(() => torch.tensor(values).view([3, 1, 1]).to({ device })));
    found = { mean: column(clipMean), std: column(clipStd) };
    onDevices.set(device, found);
  }
  return found;
}

/** Python's `round`, which torchvision's centre crop uses: halves go to the even neighbour. */
function roundHalfToEven(half: number): number {
  const floor = Math.floor(half);
  return half - floor > 0.5 || (half - floor === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}

function checkSize(size: number): void {
  if (!Number.isInteger(size) || size < 1) {
    throw optionError(`size must be a whole number of pixels, at least 1; got ${size}.`);
  }
}
