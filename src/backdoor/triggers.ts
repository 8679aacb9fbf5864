import { optionError } from '../errors';
import { Random } from '../random';
import { show } from '../show';
import { type Tensor, torch } from '../torch';
import {
  type PatchLocation,
  patchLocations,
  type PatchType,
  patchTypes,
  type TriggerMode,
  triggerModes,
} from './names';
import { checkPattern, drawPattern, warp } from './patterns';

/** Options of {@link makeTrigger}. */
export interface TriggerOptions {
  /**
   * What is shown; default `random`.
   * - `random`: normal noise around the mean of each channel of the image (BadNets' patch, as CleanCLIP draws it)
   * - `yellow`: (1, 1, 0)
   * - `blended`: uniform noise (Chen et al. 2017)
   * - `SIG`: six periods of a sine of amplitude 60/255 from left to right (Barni et al. 2019)
   * - `warped`: no patch but a small displacement of every pixel (WaNet, Nguyen & Tran 2021); ignores the location
   */
  patchType?: PatchType;
  /**
   * Where; default `random`. `random`: a square at a place drawn anew for every image; `four_corners`: a square in each
   * corner; `blended`: over the whole image, 0.2 · pattern + 0.8 · image. The pattern is made for that area.
   */
  patchLocation?: PatchLocation;
  /** Side of the square in pixels of the image; default 16. Not used by `blended` places and `warped`. */
  patchSize?: number;
  /**
   * Side of the images, or [height, width]; default 224. The trigger belongs at the model's resolution: a shrunk one
   * does not implant.
   */
  imageSize?: number | readonly [height: number, width: number];
  /** Determines the pattern of a fixed trigger, drawn by torch's generator; default 0. */
  seed?: number;
  /** `fixed` (default): one pattern for all images; `resampled` (default with `compat`): a new one for every image. */
  triggerMode?: TriggerMode;
  /**
   * Put it on as the Python reference does: a random place never takes in the last row or column, and values out of
   * range wrap around in 8 bits; default false.
   */
  compat?: boolean;
  /**
   * The pattern instead of a drawn one, float: `random` and `blended` [3, height, width] of the square or the image,
   * values of N(0, 1) and U(0, 1); `warped` the displacement grid [1, height, width, 2] in half pixels, such as the
   * reference's noise_grid file.
   */
  noise?: Tensor;
}

/** A trigger that is drawn once and put on many images. */
export interface Trigger {
  /** The fixed pattern; null where there is none to keep (`resampled`). It lives until {@link Trigger.dispose}. */
  readonly pattern: Tensor | null;
  /**
   * The image with the trigger; values are clipped to their range. The input is not changed.
   *
   * @param image uint8, or floating point in [0, 1]; [3, H, W] of the trigger's image size
   * @param random source of all that differs from image to image: the random place, and the pattern of a resampled
   * trigger
   * @returns same shape and dtype; bytes are rounded down, as `ToPILImage` does
   */
  apply(image: Tensor, random: Random): Tensor;
  /** Frees the pattern. */
  dispose(): void;
}

/**
 * Makes a backdoor trigger.
 *
 * @throws CleanclipError ERR_OPTION: an option that is none of the above, a patch larger than the image, noise of
 * another shape
 * @example
 * ```ts
 * const trigger = makeTrigger({ patchType: 'random', patchSize: 16, imageSize: 224, seed: 0 });
 * const attacked = trigger.apply(image, new Random(0));
 * trigger.dispose();
 * ```
 */
export function makeTrigger(options: TriggerOptions = {}): Trigger {
  const { patchType = 'random', patchLocation = 'random', patchSize = 16, imageSize = 224 } = options;
  const { seed = 0, compat = false, triggerMode = compat ? 'resampled' : 'fixed', noise } = options;
  checkOneOf('patchType', patchType, patchTypes);
  checkOneOf('patchLocation', patchLocation, patchLocations);
  checkOneOf('triggerMode', triggerMode, triggerModes);
  checkWhole('patchSize', patchSize, 1);
  checkWhole('seed', seed, 0);
  const [height, width] = typeof imageSize === 'number' ? [imageSize, imageSize] : imageSize;
  checkWhole('imageSize', height, 1);
  checkWhole('imageSize', width, 1);

  const whole = patchLocation === 'blended' || patchType === 'warped';
  if (!whole && patchSize > Math.min(height, width)) {
    throw optionError(`patchSize must fit into the image of ${width} × ${height} pixels; got ${patchSize}.`);
  }
  const area = whole ? [height, width] : [patchSize, patchSize];
  if (noise !== undefined) checkPattern(noise, patchType, area);
  const draw = (from: number): Tensor => drawPattern(patchType, area, from);
  const pattern = noise?.clone() ?? (triggerMode === 'fixed' ? draw(seed) : null);

  const triggered = (image: Tensor, random: Random): Tensor => {
    const shown = (pattern ?? draw(random.uint32())).to(image.dtype);
    if (patchType === 'warped') return warp(image, shown);
    const patch = patchType === 'random' ? shown.add(image.mean([1, 2], true)) : shown;
    if (patchLocation === 'blended') return patch.mul(0.2).add(image.mul(0.8)).clamp_(0, 1);
    const result = image.clone();
    const corners = [0, height - patchSize].flatMap((top) => [0, width - patchSize].map((left) => [top, left]));
    const place = (length: number): number => random.int(Math.max(1, length - patchSize + (compat ? 0 : 1)));
    const places = patchLocation === 'four_corners' ? corners : [[place(height), place(width)]];
    for (const [top, left] of places) result.narrow(1, top, patchSize).narrow(2, left, patchSize).copy_(patch);
    return result;
  };

  return {
    pattern,
    apply(image, random) {
      checkTarget(image, [height, width]);
      return torch.tidy(() => {
        const bytes = image.dtype === 'uint8';
        const result = triggered(bytes ? image.to('float32').div_(255) : image, random);
        if (!compat) result.clamp_(0, 1);
        return bytes ? result.mul_(255).to('int32').to('uint8') : result;
      });
    },
    dispose: () => pattern?.dispose(),
  };
}

/**
 * Puts a trigger on one image of any size: {@link makeTrigger} for a single use.
 *
 * @param image uint8, or floating point in [0, 1]; [3, H, W]
 * @param options as {@link makeTrigger}, without the image size. With `seed` the result depends on the arguments alone;
 * without it the pattern is that of seed 0, and what differs from image to image (see {@link Trigger.apply}) is drawn
 * afresh.
 * @param options.random source of what differs from image to image, instead
 * @returns same shape and dtype
 * @throws CleanclipError ERR_OPTION as {@link makeTrigger}
 * @example
 * ```ts
 * const attacked = applyTrigger(image, { patchType: 'blended', patchLocation: 'blended', seed: 0 });
 * ```
 */
export function applyTrigger(
  image: Tensor,
  options: Omit<TriggerOptions, 'imageSize'> & { random?: Random } = {},
): Tensor {
  const { seed = Math.floor(Math.random() * 2 ** 32), random = new Random(seed) } = options;
  checkTarget(image);
  const trigger = makeTrigger({ ...options, imageSize: [image.shape[1], image.shape[2]] });
  try {
    return trigger.apply(image, random);
  } finally {
    trigger.dispose();
  }
}

function checkOneOf(option: string, value: string, allowed: readonly string[]): void {
  if (!allowed.includes(value)) {
    throw optionError(`${option} must be one of ${allowed.join(', ')}; got ${show(value)}.`);
  }
}

function checkWhole(option: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw optionError(`${option} must be a whole number, at least ${least}; got ${show(value)}.`);
  }
}

function checkTarget(image: Tensor, size?: readonly number[]): void {
  const { shape, dtype } = image;
  const allowed = ['uint8', 'float32', 'float64', 'float16', 'bfloat16'].includes(dtype);
  const expected = [3, ...(size ?? ['height', 'width'])];
  const fits = shape.length === 3 && expected.every((length, i) => typeof length === 'string' || length === shape[i]);
  if (!allowed || !fits) {
    throw optionError(
      `image must be a uint8 or floating-point tensor of shape [${expected.join(', ')}]; got ${dtype} ` +
        `[${shape.join(', ')}].`,
    );
  }
}
