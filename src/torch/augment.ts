import { addon } from './addon';
import { wrap, type Tensor } from './tensor';

/**
 * Applies operations of AutoAugment by name, each with its magnitude, in one pass over the bytes where that gives the same.
 *
 * @param image uint8 [3, H, W] on the CPU, fastest if stored channels last
 * @returns uint8 [3, H, W], stored channels last; a new tensor
 * @throws CleanclipError ERR_TORCH: not such an image, or one of more than 1,048,576 pixels a side
 */
export const augment = (image: Tensor, steps: [name: string, magnitude: number][]): Tensor => wrap(addon().augment(image.handle, steps));
