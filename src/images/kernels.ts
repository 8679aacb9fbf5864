import { addon } from '../torch/addon';
import { type Tensor, wrap } from '../torch/tensor';

// All kernels work on the CPU, and are fastest on images stored channels last. Other tensors throw ERR_TORCH.

/**
 * Applies operations of AutoAugment, each by its name and magnitude. Operations that can be fused take one pass over
 * the bytes.
 *
 * @param image uint8 [3, H, W]; H and W are at most 1,048,576
 * @returns uint8 [3, H, W], stored channels last; a new tensor
 */
export const augmentImage = (image: Tensor, steps: [name: string, magnitude: number][]): Tensor =>
  wrap(addon().augmentImage(image.handle, steps));

/** The filter of a resize. */
export type Interpolation = 'bicubic' | 'bilinear';

/** A rectangle of an image, in pixels. */
export interface Crop {
  left: number;
  top: number;
  width: number;
  height: number;
}

/**
 * Resizes byte for byte as PIL does (antialiased) and crops. Only the pixels of the crop are computed.
 *
 * @param image uint8 [3, H, W]
 * @param size of the whole resized image, in pixels
 * @param crop inside the resized image
 * @param interpolation default bicubic
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
 * Computes (byte ÷ 255 − mean) ÷ deviation in float32.
 *
 * @param images uint8 [..., 3, H, W]
 * @param means of the three channels
 * @param deviations standard deviations of the three channels
 * @returns float32 of the same shape
 */
export const normalizeImages = (images: Tensor, means: readonly number[], deviations: readonly number[]): Tensor =>
  wrap(addon().normalizeImages(images.handle, means, deviations));
