import { optionError } from '../errors';
import type { Tensor } from '../torch';

/** Throws ERR_OPTION unless it is a uint8 tensor [3, H, W] with pixels. */
export function checkImage(image: Tensor): void {
  const { shape, dtype } = image;
  if (dtype !== 'uint8' || shape.length !== 3 || shape[0] !== 3 || shape[1] === 0 || shape[2] === 0) {
    throw optionError(`image must be a uint8 tensor of shape [3, height, width]; got ${dtype} [${shape.join(', ')}].`);
  }
}

// Colour conversions as PIL does them, where libvips does otherwise; to interleaved RGB bytes.

/** CMYK (0 is no ink) without a profile: each colour is what its ink and black leave. */
export function cmykToRgb(pixels: Uint8Array, channels: number): Uint8Array {
  const rgb = new Uint8Array((pixels.length / channels) * 3);
  for (let from = 0, to = 0; to < rgb.length; from += channels, to += 3) {
    const light = 255 - pixels[from + 3];
    for (let c = 0; c < 3; c++) rgb[to + c] = light - Math.round((pixels[from + c] * light) / 255);
  }
  return rgb;
}

/** 16-bit grey: values above 255 become 255. */
export function saturate(grey: Uint16Array): Uint8Array {
  const rgb = new Uint8Array(grey.length * 3);
  for (let i = 0; i < grey.length; i++) rgb.fill(Math.min(grey[i], 255), i * 3, i * 3 + 3);
  return rgb;
}

/** RGBA without its alpha; fully transparent pixels take the given colour. */
export function dropAlpha(rgba: Uint8Array, transparent: ArrayLike<number>): Uint8Array {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; to < rgb.length; from += 4, to += 3) {
    rgb.set(rgba[from + 3] === 0 ? transparent : rgba.subarray(from, from + 3), to);
  }
  return rgb;
}
