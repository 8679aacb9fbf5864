import { optionError } from '../errors';
import type { Tensor } from '../torch';

/** Throws ERR_OPTION unless the image is a uint8 tensor [3, H, W] that is not empty. */
export function checkImage(image: Tensor): void {
  const { shape, dtype } = image;
  if (dtype !== 'uint8' || shape.length !== 3 || shape[0] !== 3 || shape[1] === 0 || shape[2] === 0) {
    throw optionError(`image must be a uint8 tensor of shape [3, height, width]; got ${dtype} [${shape.join(', ')}].`);
  }
}
