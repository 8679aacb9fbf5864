import { optionError } from '../errors';
import { checkInteger } from '../integers';
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
   * The pattern of the trigger; default `random`.
   * - `random`: normal noise N(0, 1) plus the mean of each channel of the image (BadNets' patch, as CleanCLIP draws it)
   * - `yellow`: the colour (1, 1, 0)
   * - `blended`: uniform noise U(0, 1) (Chen et al. 2017)
   * - `SIG`: a sine of amplitude 60/255 with six periods from left to right (Barni et al. 2019)
   * - `warped`: no patch, but a small displacement of every pixel (WaNet, Nguyen & Tran 2021); ignores the location
   */
  patchType?: PatchType;
  /**
   * The location of the trigger; default `random`. The pattern is drawn in the size of that area.
   * - `random`: a square at a random location, drawn anew for each image
   * - `four_corners`: a square in each corner
   * - `blended`: the whole image, 0.2 · pattern + 0.8 · image
   */
  patchLocation?: PatchLocation;
  /** Side of the square in pixels; default 16. Unused with the location `blended` and the type `warped`. */
  patchSize?: number;
  /**
   * Side of the images in pixels, or [height, width]; default 224. Use the resolution of the model: a model hardly
   * learns a trigger that is resized afterwards.
   */
  imageSize?: number | readonly [height: number, width: number];
  /** Seed of a fixed pattern, an integer of at least 0, for torch's generator; default 0. */
  seed?: number;
  /** `fixed` (default): one pattern for all images; `resampled` (default with `compat`): a new one for each image. */
  triggerMode?: TriggerMode;
  /**
   * Apply the trigger as the Python reference does: a random location never includes the last row or column, and values
   * out of range wrap around in 8 bits; default false.
   */
  compat?: boolean;
  /**
   * The pattern, instead of a drawn one; a floating-point tensor, which is copied. For `random` (values of N(0, 1)) and
   * `blended` (values of U(0, 1)) its shape is [3, height, width] of the square or of the image. For `warped` it is the
   * displacement grid [1, height, width, 2] in half pixels, such as the reference's noise_grid file.
   */
  noise?: Tensor;
}

/** A trigger that can be applied to many images. */
export interface Trigger {
  /** The fixed pattern, valid until {@link Trigger.dispose}; null for a `resampled` trigger. */
  readonly pattern: Tensor | null;
  /**
   * Returns the image with the trigger. Values are clipped to their range, unless `compat` is set. The input is not
   * changed.
   *
   * @param image uint8, or floating point in [0, 1]; [3, H, W] of the trigger's image size
   * @param random generator of the random location, and of the pattern if it is `resampled`
   * @returns same shape and dtype; a new tensor; bytes are rounded down, as by torchvision's `ToPILImage`
   * @throws CleanclipError ERR_OPTION: the image has another shape or dtype
   */
  apply(image: Tensor, random: Random): Tensor;
  /** Disposes the pattern. */
  dispose(): void;
}

/**
 * Makes a backdoor trigger.
 *
 * @param options defaults: the random patch of 16 × 16 pixels for images of 224 × 224, see {@link TriggerOptions}
 * @returns the trigger; call {@link Trigger.dispose} after use
 * @throws CleanclipError ERR_OPTION: an option is invalid, the patch is larger than the image, or `noise` has another
 * shape
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
  checkInteger('patchSize', patchSize, { least: 1 });
  checkInteger('seed', seed, { least: 0 });
  const [height, width] = typeof imageSize === 'number' ? [imageSize, imageSize] : imageSize;
  checkInteger('imageSize', height, { least: 1 });
  checkInteger('imageSize', width, { least: 1 });

  const whole = patchLocation === 'blended' || patchType === 'warped';
  if (!whole && patchSize > Math.min(height, width)) {
    throw optionError(
      `patchSize must be at most the side of the image, ${width} × ${height} pixels; got ${patchSize}.`,
    );
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
 * Applies a trigger to one image of any size: {@link makeTrigger} for a single use.
 *
 * @param image uint8, or floating point in [0, 1]; [3, H, W]
 * @param options as for {@link makeTrigger}, without the image size
 * @param options.seed seed of the pattern, and of the random location or a resampled pattern (see {@link
 * Trigger.apply}). Without it, the pattern is that of seed 0, and the rest differs from call to call.
 * @param options.random generator of the random location or a resampled pattern; default: a new one, seeded with `seed`
 * @returns same shape and dtype; a new tensor
 * @throws CleanclipError ERR_OPTION: an option or `image` is invalid, the patch is larger than the image, or `noise`
 * has another shape
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
