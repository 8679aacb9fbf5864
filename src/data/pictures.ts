import { drawSteps, type OperationName } from '../augment/autoaugment';
import { augmentOnDevice } from '../augment/device_autoaugment';
import { resizeOnDevice } from '../images/device_resize';
import { placementOf } from '../images/placement';
import { resizeCropBy } from '../images/preprocess';
import type { Geometry } from '../images/preprocess_config';
import type { Random } from '../random';
import { type Tensor, torch } from '../torch';
import type { BatchTensors } from './batch_tensors';

/** A whole image of a batch, from which a device makes the pixels. */
export interface Picture {
  /** uint8 [3, H, W], on the CPU */
  image: Tensor;
  /** the operations that make its other view; undefined: it has none */
  steps?: [OperationName, number][];
}

/** A {@link Picture} on its way to another thread, which takes it once. */
export interface SharedPicture extends Omit<Picture, 'image'> {
  token: number;
}

/** What the pixels are to be. */
export interface PictureUse {
  /** side in pixels */
  size: number;
  geometry: Geometry;
}

/**
 * Shares a decoded image with the thread that gives it to the device.
 *
 * @param image uint8 [3, H, W]
 * @param options.random draws the operations of the other view; undefined: it has none
 * @param options.pinned copy it to pinned memory
 * @throws CleanclipError ERR_DATA: the image is too narrow for the resize
 */
export function sharePicture(
  image: Tensor,
  { size, geometry, random, pinned }: PictureUse & { random?: Random; pinned: boolean },
): SharedPicture {
  const [, height, width] = image.shape;
  placementOf({ width, height }, size, geometry);
  const steps = random && drawSteps(random, { width, height });
  return { token: torch.tidy(() => torch.share(pinned ? pinnedCopy(image) : image)), steps };
}

/** Takes a picture that another thread shared. */
export const takePicture = ({ token, steps }: SharedPicture): Picture => ({ image: torch.take(token), steps });

/** Disposes the images. */
export function disposePictures(pictures: Picture[]): void {
  for (const { image } of pictures) image.dispose();
}

/**
 * Makes the pixels of a batch on a device, which copies each whole image and resizes, crops and augments it there.
 * Nothing in it waits for a GPU if the images are in pinned memory.
 *
 * @param pictures of each row; all have another view or none has
 * @returns uint8 [B, 3, size, size] each, on the device
 */
export function pixelsOn(
  device: string,
  pictures: Picture[],
  { size, geometry, inmodal }: PictureUse & { inmodal: boolean },
): Pick<BatchTensors, 'pixels' | 'augmentedPixels'> {
  const empty = (): Tensor => torch.empty([pictures.length, 3, size, size], { dtype: 'uint8', device });
  return torch.tidy(() => {
    const [pixels, augmentedPixels] = [empty(), inmodal ? empty() : undefined];
    pictures.forEach(({ image, steps = [] }, row) =>
      torch.tidy(() => {
        const whole = image.to({ device, nonBlocking: true }).contiguous();
        const put = (target: Tensor, view: Tensor): unknown =>
          target.select(0, row).copy_(resizeCropBy(resizeOnDevice, view, size, geometry));
        put(pixels, whole);
        if (augmentedPixels !== undefined) put(augmentedPixels, augmentOnDevice(whole, steps));
      }),
    );
    return { pixels, ...(augmentedPixels && { augmentedPixels }) };
  });
}

/** A copy in memory that a GPU copies from without stopping the CPU, stored as the image is. */
function pinnedCopy(image: Tensor): Tensor {
  const interleaved = image.permute([1, 2, 0]);
  return torch.empty(interleaved.shape, { dtype: 'uint8', pinMemory: true }).copy_(interleaved).permute([2, 0, 1]);
}
