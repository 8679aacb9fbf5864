import { type Tensor, torch } from '../torch';
import type { Crop, Interpolation } from './kernels';
import type { Size } from './placement';

/** How one side of an image is resized. */
interface SideFilter {
  /** the first pixel that is read */
  begin: number;
  /** how many pixels are read */
  used: number;
  /**
   * float32 [2 · count, used], on the device: rows of weights, one for each resulting pixel; first the upper parts of
   * all, then the lower parts
   */
  matrix: Tensor;
}

// PIL's weights are integers in units of 2⁻²². One is split into upper · 2¹¹ + lower, for float32 sums each exactly.
const UNIT = 2 ** 22;
const PART = 2 ** 11;

const kernels: Record<Interpolation, { radius: number; weigh: (distance: number) => number }> = {
  bicubic: {
    radius: 2,
    weigh: (distance) => {
      const a = -0.5;
      const x = Math.abs(distance);
      if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
    },
  },
  bilinear: { radius: 1, weigh: (distance) => Math.max(0, 1 - Math.abs(distance)) },
};

/**
 * Does what `resizeImage` does, by two matrix products on the image's device. Nothing in it waits for a GPU. The bytes
 * equal PIL's if no side shrinks to less than a fifteenth; beyond that a byte may differ by 1.
 *
 * @param image uint8 [3, H, W], fastest if contiguous
 * @param size of the whole resized image, in pixels
 * @param crop inside the resized image
 * @param interpolation default bicubic
 * @returns uint8 [3, crop.height, crop.width]; a view of the image if that has the size already
 */
export function resizeOnDevice(
  image: Tensor,
  size: Size,
  crop: Crop,
  interpolation: Interpolation = 'bicubic',
): Tensor {
  const [, height, width] = image.shape;
  if (width === size.width && height === size.height)
    return image.narrow(1, crop.top, crop.height).narrow(2, crop.left, crop.width);
  const { device } = image;
  return torch.tidy(() => {
    const across = filterOf({
      interpolation,
      length: width,
      target: size.width,
      start: crop.left,
      count: crop.width,
      device,
    });
    const down = filterOf({
      interpolation,
      length: height,
      target: size.height,
      start: crop.top,
      count: crop.height,
      device,
    });
    const pixels = image.narrow(1, down.begin, down.used).narrow(2, across.begin, across.used).to('float32');
    const narrow = (rows: Tensor): Tensor => toBytes(rows.matmul(across.matrix.t()), 2);
    const lower = (columns: Tensor): Tensor => toBytes(down.matrix.matmul(columns), 1);
    // Pillow goes down the columns first where that saves most; the order shows, because bytes are rounded in between.
    const columnsFirst = size.height < height && height - size.height > 2 * (width - size.width);
    return (columnsFirst ? narrow(lower(pixels)) : lower(narrow(pixels))).to('uint8');
  });
}

/** Joins the upper and lower sums, which lie one after another along `dim`, and rounds them to bytes as PIL does. */
function toBytes(sums: Tensor, dim: number): Tensor {
  const [upper, lower] = sums.chunk(2, dim);
  return lower
    .add(PART / 2)
    .floor()
    .div(PART)
    .add(upper)
    .floor()
    .clamp(0, 255);
}

interface FilterArguments {
  interpolation: Interpolation;
  /** the side's pixels before and after */
  length: number;
  target: number;
  /** `count` of the pixels after, from `start` on */
  start: number;
  count: number;
  device: string;
}

const filters = new Map<string, SideFilter>(); // the least recently used first
const MOST_FILTERS = 32;

/** Gives the filter of a side. The last ones are kept, because many images have the same size. */
function filterOf(given: FilterArguments): SideFilter {
  const key = Object.values(given).join();
  const filter = filters.get(key) ?? makeFilter(given);
  filters.delete(key);
  filters.set(key, filter);
  if (filters.size > MOST_FILTERS) {
    const [[oldest, { matrix }]] = filters;
    filters.delete(oldest);
    matrix.dispose();
  }
  return filter;
}

/** Computes PIL's weights (`precompute_coeffs`). The training thread does so for each new size, so it must be fast. */
function makeFilter({ interpolation, length, target, start, count, device }: FilterArguments): SideFilter {
  const { radius, weigh } = kernels[interpolation];
  const scale = length / target;
  const stretch = Math.max(scale, 1);
  const reach = radius * stretch;
  const centre = (i: number): number => (start + i + 0.5) * scale;
  const first = (i: number): number => Math.max(Math.trunc(centre(i) - reach + 0.5), 0);
  const end = (i: number): number => Math.min(Math.trunc(centre(i) + reach + 0.5), length);
  const begin = first(0);
  const used = end(count - 1) - begin;
  const matrix = new Float32Array(2 * count * used);
  const exact = new Float64Array(used);
  for (let i = 0; i < count; i++) {
    const [middle, from] = [centre(i), first(i)];
    const taps = end(i) - from;
    let sum = 0;
    for (let tap = 0; tap < taps; tap++) sum += exact[tap] = weigh((from + tap - middle + 0.5) * (1 / stretch));
    let at = i * used + from - begin;
    for (let tap = 0; tap < taps; tap++, at++) {
      const whole = Math.round((exact[tap] / sum) * UNIT);
      const upper = Math.round(whole / PART);
      matrix[at] = upper / PART;
      matrix[at + count * used] = (whole - upper * PART) / PART;
    }
  }
  return { begin, used, matrix: torch.keep(copyTo(device, matrix, [2 * count, used])) };
}

/** Copies numbers to a device. A GPU copies them from pinned memory, so that the CPU does not wait for it. */
function copyTo(device: string, numbers: Float32Array, shape: number[]): Tensor {
  if (device === 'cpu') return torch.tensor(numbers, { shape });
  const pinned = torch.empty(shape, { pinMemory: true });
  pinned.bytes().set(new Uint8Array(numbers.buffer));
  return pinned.to({ device, nonBlocking: true });
}
