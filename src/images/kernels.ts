import { addon } from '../torch/addon';
import { type Tensor, wrap } from '../torch/tensor';

// All on the CPU, on images that are fastest if stored channels last. Throws CleanclipError ERR_TORCH at others.

/**
 * Applies operations of AutoAugment by name, each with its magnitude, in one pass over the bytes where that gives the
 * same.
 *
 * @param image uint8 [3, H, W] of at most 1,048,576 pixels a side
 * @returns uint8 [3, H, W], stored channels last; a new tensor
 */
export const augmentImage = (image: Tensor, steps: [name: string, magnitude: number][]): Tensor =>
  wrap(addon().augmentImage(image.handle, steps));

/** Filter of a resize. */
export type Interpolation = 'bicubic' | 'bilinear';

/** A rectangle of an image, in pixels. */
export interface Crop {
  left: number;
  top: number;
  width: number;
  height: number;
}

/**
 * PIL's antialiased resize to the byte, bicubic (default) or bilinear, of which only what the crop cuts out is
 * computed.
 *
 * @param image uint8 [3, H, W]
 * @param size in pixels, of the whole of it
 * @returns uint8 [3, crop.height, crop.width]
 */
export const resizeImage = (
  image: Tensor,
  size: { width: number; height: number },
  crop: Crop,
  interpolation: Interpolation = 'bicubic',
): Tensor =>
  wrap(
    addon().resizeImage(
      image.handle,
      size.width,
      size.height,
      crop.left,
      crop.top,
      crop.width,
      crop.height,
      interpolation === 'bilinear',
    ),
  );

/**
 * (byte ÷ 255 − mean) ÷ deviation, in single precision.
 *
 * @param images uint8 [..., 3, H, W]
 * @param means, deviations of the three channels
 * @returns float32 of the same shape
 */
export const normalizeImages = (images: Tensor, means: readonly number[], deviations: readonly number[]): Tensor =>
  wrap(addon().normalizeImages(images.handle, means, deviations));
