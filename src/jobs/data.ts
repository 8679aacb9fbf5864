import type { DownloadResult } from '../download/download';
import type { AugmentImageInput, AugmentTextInput, DownloadInput, PrepareInput } from '../options/inputs.gen';
import type { AugmentResult } from '../prepare/augment/text';
import type { PrepareResult } from '../prepare/prepare';
import type { JobHooks } from '../progress';
import { startJob } from './start';

export type { DownloadResult } from '../download/download';
export type { AugmentResult } from '../prepare/augment/text';
export type { PrepareResult } from '../prepare/prepare';

/**
 * Downloads the images of a tsv of captions and URLs, such as those of CC3M and CC12M (`cleanclip download`). Images
 * are resized (bicubic) and cropped to squares. A run that was stopped or killed goes on where it was.
 * @param input `file` and `dir` are required
 * @returns the csv for training, the csv of what came of each row, and counts of rows
 * @throws CleanclipError `ERR_OPTION` for wrong options, or a folder that holds a download of other settings;
 * `ERR_DATA` when the file cannot be used, or the disk refuses; `ERR_ABORTED` when the signal aborts it. A row that
 * fails is no error
 * @example
 * ```ts
 * const { trainData, images, failed } = await download({ file: 'GCC-training.tsv', dir: 'CC3M', end: 500_000 });
 * ```
 */
export async function download(input: DownloadInput & JobHooks): Promise<DownloadResult> {
  return startJob('download', input);
}

/**
 * Makes a csv for training or evaluation from a set as its authors distribute it (`cleanclip prepare`): Flickr30k or
 * MSCOCO from Karpathy's JSON or `results.csv`, SBU captions from tars, ImageNet's validation set from the devkit. Or
 * it gives the image paths of a csv another folder.
 * @param input `set` and `input` are required, and `images` and `output` for most sets
 * @returns the file that was written, and counts of rows and images
 * @throws CleanclipError `ERR_OPTION` for wrong options; `ERR_DATA` when a file is missing or malformed, an image is
 * not there, or the disk refuses; `ERR_ABORTED` when the signal aborts it
 * @example
 * ```ts
 * const { output, rows } = await prepare({
 *   set: 'mscoco',
 *   input: 'dataset_coco.json',
 *   images: 'coco',
 *   output: 'coco_test.csv',
 * });
 * ```
 */
export async function prepare(input: PrepareInput & JobHooks): Promise<PrepareResult> {
  return startJob('prepare', input);
}

/**
 * Adds a column of augmented captions to a csv (`cleanclip augment-text`), by EDA (Wei and Zou 2019) as training with
 * `inmodal` does. Training with `augmentedColumns` then takes them as they are.
 * @param input `input` and `output` are required
 * @returns the csv, its new column `augmented_<captionKey>`, and its number of rows; the same seed gives the same file
 * @throws CleanclipError `ERR_OPTION` for wrong options; `ERR_DATA` when the csv cannot be read or written;
 * `ERR_ABORTED` when the signal aborts it
 * @example
 * ```ts
 * const { output, column } = await augmentText({ input: 'train.csv', output: 'train_augmented.csv', seed: 1 });
 * ```
 */
export async function augmentText(input: AugmentTextInput & JobHooks): Promise<AugmentResult> {
  return startJob('augmentText', input);
}

/**
 * Adds a column of augmented images to a csv (`cleanclip augment-image`), by AutoAugment (Cubuk et al. 2019) as
 * training with `inmodal` does. A run that was stopped makes only the images that are missing.
 * @param input `input` and `output` are required
 * @returns the csv, its new column `augmented_<imageKey>`, its number of rows, and the rows whose image cannot be read
 * @throws CleanclipError `ERR_OPTION` for wrong options; `ERR_DATA` when the csv cannot be read or written, or no image
 * can be read; `ERR_ABORTED` when the signal aborts it
 * @example
 * ```ts
 * const { output, rows } = await augmentImage({ input: 'train.csv', output: 'train_augmented.csv', size: 224 });
 * ```
 */
export async function augmentImage(input: AugmentImageInput & JobHooks): Promise<AugmentResult> {
  return startJob('augmentImage', input);
}
