import { dataError } from '../errors';
import type { Crop } from './kernels';
import { giantOf } from './limits';
import { type Geometry, geometryOf } from './preprocess_config';

/** Width and height in pixels. */
export interface Size {
  width: number;
  height: number;
}

/** How an image fills the square that a model takes. */
export interface Placement {
  /** of the whole resized image */
  resized: Size;
  /** the part of it that is in the square */
  crop: Crop;
  /** where that part begins in the square; the fill colour is around it */
  left: number;
  top: number;
}

/**
 * Places an image in a square, by the mode that {@link resizeCrop} describes.
 *
 * @param image its size
 * @param size side of the square in pixels
 * @throws CleanclipError ERR_DATA: the image is so narrow that the resized one would have more than 178,956,970 pixels
 * (`shortest`) or none (`longest`); ERR_OPTION: `geometry` is invalid
 */
export function placementOf(image: Size, size: number, geometry: Geometry = {}): Placement {
  const { resizeMode, cropRounding } = geometryOf(geometry);
  const square = { width: size, height: size };
  const corner = { left: 0, top: 0 };
  if (resizeMode === 'squash') return { resized: square, crop: { ...corner, ...square }, ...corner };
  if (resizeMode === 'longest') return paddedPlacement(image, size);
  const { width, height } = image;
  const giant = giantOf(width, height, size);
  if (giant !== undefined) {
    throw dataError(
      `Expected an image that is less narrow, got ${width} × ${height} pixels: ` +
        `with a short side of ${size} it would have ${giant} pixels.`,
    );
  }
  const long = Math.trunc((size * Math.max(height, width)) / Math.min(height, width));
  const resized = width <= height ? { width: size, height: long } : { width: long, height: size };
  const round = cropRounding === 'down' ? Math.floor : roundHalfToEven;
  const [left, top] = [resized.width, resized.height].map((side) => round((side - size) / 2));
  return { resized, crop: { left, top, ...square }, ...corner };
}

/** What open_clip's `ResizeKeepRatio(longest=1)` and `CenterCropOrPad` do. */
function paddedPlacement(image: Size, size: number): Placement {
  const ratio = Math.max(image.height / size, image.width / size);
  const [height, width] = [image.height, image.width].map((side) => roundHalfToEven(side / ratio));
  if (height === 0 || width === 0) {
    throw dataError(
      `Expected an image that is less narrow, got ${image.width} × ${image.height} pixels: with a ` +
        `long side of ${size} its short side would be 0.`,
    );
  }
  const [top, left] = [height, width].map((side) => Math.floor((size - side) / 2));
  const resized = { width, height };
  return { resized, crop: { left: 0, top: 0, ...resized }, left, top };
}

/** Python's `round`: halves go to the even neighbour. */
function roundHalfToEven(half: number): number {
  const floor = Math.floor(half);
  return half - floor > 0.5 || (half - floor === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
