import sharp, { type Sharp } from 'sharp';

import { type Tensor, torch } from '../torch';

/**
 * Gives an image to sharp, whose methods encode it.
 * @param image uint8 [3, H, W]
 */
export function encoderOf(image: Tensor): Sharp {
  const [channels, height, width] = image.shape;
  const pixels = torch.tidy(() => image.permute([1, 2, 0]).contiguous().data()) as Uint8Array; // [H, W, 3]
  return sharp(pixels, { raw: { width, height, channels: channels as 3 } });
}
