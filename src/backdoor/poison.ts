import { writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';

import sharp from 'sharp';

import { readClasses } from '../data/classes';
import { writeCsv } from '../data/csv_writer';
import { type BadRows, type PairColumns, type PairTable, readPairs } from '../data/pairs';
import { CleanclipError, dataError, optionError } from '../errors';
import { writeFolderWhole } from '../folders';
import { faultOf } from '../images/faults';
import { decodeImage } from '../images/image';
import { resizeCrop, resizedTo } from '../images/preprocess';
import { type Geometry, geometryOf } from '../images/preprocess_config';
import { type Lock, lock } from '../lock';
import { compatOf } from '../options/compat';
import { checkPoisonRules } from '../options/rules';
import { Random } from '../random';
import { type Tensor, torch } from '../torch';
import { addon } from '../torch/addon';
import { type Selection, selectRows } from './selection';
import { makeTrigger, type Trigger, type TriggerOptions } from './triggers';

/** Options of `poison`: the flags of `cleanclip poison` in camelCase. */
export interface PoisonOptions extends PairColumns, Geometry, Omit<TriggerOptions, 'imageSize' | 'noise' | 'compat'> {
  /** csv of clean pairs */
  trainData: string;
  /**
   * classes file whose templates make the poisoned captions, see {@link readClasses}; not needed with `labelConsistent`
   */
  templates?: string;
  /** rows of the poisoned set, the poisoned ones included; default: all of `trainData` */
  sizeTrainData?: number;
  /** how many of them to poison */
  numBackdoor: number;
  /** the class that triggered images shall be taken for; default `banana` */
  label?: string;
  /** poison only rows whose caption has the label as a word, and keep their captions; default false */
  labelConsistent?: boolean;
  /**
   * side in pixels of the poisoned images; make it the resolution of the model, or the trigger gets blurred; default
   * 224
   */
  imageSize?: number;
  /** default `png`: the compression of JPEG can destroy a trigger */
  imageFormat?: 'png' | 'jpg';
  /**
   * `reference`: images are squashed to a square instead of cropped, and the trigger is put on as {@link
   * TriggerOptions.compat} says
   */
  compat?: 'reference';
}

/** What `poison` calls while it works, and the signal that stops it. */
export interface PoisonHooks {
  /** called after each poisoned image */
  onProgress?: (progress: { done: number; total: number }) => void;
  signal?: AbortSignal;
}

/** A row, from 1, whose image cannot be read, and which other one was poisoned in its place. */
export interface ReplacedRow {
  row: number;
  by: number;
  reason: string;
}

/** What `poison` wrote: absolute paths, and the number of poisoned rows. */
export interface PoisonResult {
  csv: string;
  originalCsv: string;
  imagesDir: string;
  poisoned: number;
  /** only if there were any */
  replaced?: ReplacedRow[];
  /** rows of `trainData` that cannot be used and are left out; only if there were any */
  badRows?: BadRows;
}

/**
 * Makes a poisoned training set beside `trainData` (the attack of Carlini & Terzis 2022 that CleanCLIP is measured on):
 * some rows, picked by the seed, get the trigger on their image and a caption that names the label. Images are resized
 * and cropped as for training before the trigger goes on. It writes `backdoor_images_<setting>/`;
 * `original_backdoor_<setting>.csv`, the picked rows as they were; and last `backdoor_<setting>.csv`: the poisoned
 * rows, then untouched ones in the order of `trainData`, with a column `is_backdoor`. The same options give the same
 * bytes.
 *
 * @throws CleanclipError ERR_OPTION: more poison than rows, no templates, a patch larger than the image; ERR_DATA: a
 * file that cannot be read or written, too few captions with the label; ERR_ABORTED: the signal. Nothing is left behind
 * then. A row whose image cannot be read is not poisoned, but another one in its place, which `replaced` tells.
 */
export async function runPoison(options: PoisonOptions, hooks: PoisonHooks = {}): Promise<PoisonResult> {
  checkPoisonRules(options);
  const trigger = makeTrigger({
    ...options,
    compat: compatOf(options).wrapsTriggers,
    imageSize: options.imageSize ?? 224,
  });
  let held: Lock | undefined;
  try {
    return await poisonWith(trigger, options, hooks, (file) => (held = holdOutput(file)));
  } finally {
    held?.release();
    trigger.dispose();
  }
}

/** Keeps other processes from writing the same poisoned set, with the lock of this file. */
function holdOutput(file: string): Lock {
  const refusal = (holder: string): Error =>
    optionError(
      `The same poisoned set is being written by ${holder}; wait until it is done, or poison a copy of the csv.`,
    );
  return lock(file, { refusal, flock: (fd) => addon().lockFile(fd) });
}

async function poisonWith(
  trigger: Trigger,
  options: PoisonOptions,
  hooks: PoisonHooks,
  hold: (file: string) => void,
): Promise<PoisonResult> {
  const { numBackdoor, label = 'banana', labelConsistent = false, seed = 0 } = options;
  const geometry = geometryOf(compatOf(options).squashesImages ? { ...options, resizeMode: 'squash' } : options);
  const templates = labelConsistent ? [] : readTemplates(options.templates!);
  const table = await readPairs(options.trainData, options);
  const size = options.sizeTrainData ?? table.length;
  const selection = selectRows(table, size, numBackdoor, seed, labelConsistent ? label : undefined);

  const setting = settingName(options, size);
  const images = `backdoor_images_${setting}`;
  const folder = dirname(resolve(options.trainData));
  const imagesDir = join(folder, images);
  hold(join(folder, `.backdoor_${setting}.lock`));
  const source = { table, selection, trigger, geometry };
  const { poisoned, replaced } = await writePoisonedImages(imagesDir, source, options, hooks);
  const untouched = selection.untouched(poisoned.map(({ row }) => row));

  const random = new Random(seed, 1);
  const caption = (row: number): string => (labelConsistent ? table.caption(row) : random.choice(templates)(label));
  const csv = join(folder, `backdoor_${setting}.csv`);
  const originalCsv = join(folder, `original_backdoor_${setting}.csv`);
  function* original(): Iterable<string[]> {
    for (const { row } of poisoned) yield [table.imageField(row), table.caption(row)];
  }
  function* all(): Iterable<(string | number)[]> {
    for (const { row, name } of poisoned) yield [`${images}/${name}`, caption(row), 1];
    for (const row of untouched) yield [table.imageField(row), table.caption(row), Number(table.isBackdoor(row))];
  }
  const { imageKey = 'image', captionKey = 'caption', delimiter } = options;
  writeCsv(originalCsv, [imageKey, captionKey], original(), delimiter);
  writeCsv(csv, [imageKey, captionKey, 'is_backdoor'], all(), delimiter);
  const told = { ...(replaced.length > 0 && { replaced }), ...(table.badRows.count > 0 && { badRows: table.badRows }) };
  return { csv, originalCsv, imagesDir, poisoned: poisoned.length, ...told };
}

/** What poisoned images are made of. */
interface PoisonSource {
  table: PairTable;
  selection: Selection;
  trigger: Trigger;
  geometry: Required<Geometry>;
}

/** Writes the images of the selected rows with the trigger on them, all or none; returns the rows and their files. */
async function writePoisonedImages(
  imagesDir: string,
  { table, selection, trigger, geometry }: PoisonSource,
  { imageSize = 224, imageFormat = 'png', seed = 0 }: PoisonOptions,
  { onProgress, signal }: PoisonHooks,
): Promise<{ poisoned: { row: number; name: string }[]; replaced: ReplacedRow[] }> {
  const poisoned: { row: number; name: string }[] = [];
  const replaced: ReplacedRow[] = [];
  const images = readableImages({ table, selection, shortSide: resizedTo(imageSize, geometry), replaced, signal });
  const write = async (temporary: string): Promise<void> => {
    for await (const { row, image } of images) {
      const name = imageName(row, table.imageField(row), imageFormat);
      const triggered = torch.tidy(() => trigger.apply(resizeCrop(image, imageSize, geometry), new Random(seed, row)));
      image.dispose();
      await writeImage(triggered, join(temporary, name));
      poisoned.push({ row, name });
      onProgress?.({ done: poisoned.length, total: selection.poisoned.length });
    }
  };
  await writeFolderWhole(imagesDir, write, { replace: true });
  return { poisoned, replaced };
}

interface ImageQueue extends Pick<PoisonSource, 'table' | 'selection'> {
  /** pixels that a JPEG may be decoded down to, if it shall be */
  shortSide: number | undefined;
  /** gets the rows that were passed over */
  replaced: ReplacedRow[];
  signal: AbortSignal | undefined;
}

/** The selected rows with their images; a spare row takes the place of one whose image cannot be read. */
async function* readableImages({
  table,
  selection,
  shortSide,
  replaced,
  signal,
}: ImageQueue): AsyncGenerator<{ row: number; image: Tensor }> {
  const spare = selection.spare[Symbol.iterator]();
  for (const first of selection.poisoned) {
    const passed: Omit<ReplacedRow, 'by'>[] = [];
    let row = first;
    let image: Tensor | undefined;
    while (image === undefined) {
      if (signal?.aborted) throw new CleanclipError('Poisoning was stopped; nothing was written.', 'ERR_ABORTED');
      try {
        image = await decodeImage(table.image(row), { resizedTo: shortSide });
      } catch (error) {
        if (faultOf(error) === 'machine') throw error;
        passed.push({ row: row + 1, reason: (error as Error).message });
        row = nextSpare(spare, row, error as Error);
      }
    }
    replaced.push(...passed.map((each) => ({ ...each, by: row + 1 })));
    yield { row, image };
  }
}

function nextSpare(spare: Iterator<number>, row: number, error: Error): number {
  const { done, value } = spare.next();
  if (done)
    throw dataError(
      `The image of row ${row + 1} cannot be read, and there is no other row to poison: choose a smaller ` +
        `--num_backdoor. ${error.message}`,
      error,
    );
  return value;
}

function readTemplates(file: string): ((name: string) => string)[] {
  return readClasses(file).templates;
}

/** Names the setting of a poisoned set in its files' names, as the Python reference composes it. */
function settingName(options: PoisonOptions, size: number): string {
  const { label = 'banana', patchType = 'random', patchLocation = 'random', patchSize = 16, numBackdoor } = options;
  const parts = [label.replaceAll(/[/\\\p{Cc}]/gu, '-'), patchType, patchLocation, patchSize, size, numBackdoor];
  return parts.join('_') + (options.labelConsistent ? '_label_consistent' : '');
}

/** Names a poisoned image by its row, so that images of one name in different folders do not collide. */
const imageName = (row: number, image: string, format: string): string =>
  `${row}_${basename(image, extname(image))}.${format}`;

/** Writes a uint8 image [3, H, W], and frees it, in the format its name ends on. */
async function writeImage(image: Tensor, file: string): Promise<void> {
  const [, height, width] = image.shape;
  const pixels = torch.tidy(() => image.permute([1, 2, 0]).contiguous().data()) as Uint8Array; // [H, W, 3]
  image.dispose();
  const encoded = sharp(pixels, { raw: { width, height, channels: 3 } });
  await writeFile(file, await encoded.toFormat(extname(file).slice(1) as 'png' | 'jpg').toBuffer());
}
