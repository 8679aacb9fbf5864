import { writeFile } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';

import sharp from 'sharp';

import { readClasses } from '../data/classes';
import { writeCsv } from '../data/csv_writer';
import { type BadRows, type PairColumns, pairColumns, pairFields, type PairTable, readPairs } from '../data/pairs';
import { pairFolder } from '../data/shard_files';
import { CleanclipError, dataError, optionError } from '../errors';
import { writeFolderWhole } from '../folders';
import { faultOf } from '../images/faults';
import { decodeImage } from '../images/image';
import { parseMember } from '../images/members';
import { resizeCrop, resizedTo } from '../images/preprocess';
import { type Geometry, geometryOf } from '../images/preprocess_config';
import { type Lock, lock } from '../lock';
import { compatOf } from '../options/compat';
import type { JobHooks } from '../progress';
import { Random } from '../random';
import { type Tensor, torch } from '../torch';
import { addon } from '../torch/addon';
import { type Selection, selectRows } from './selection';
import { makeTrigger, type Trigger, type TriggerOptions } from './triggers';

/** Options of `poison`: the flags of `cleanclip poison` in camelCase. */
export interface PoisonOptions extends PairColumns, Geometry, Omit<TriggerOptions, 'imageSize' | 'noise' | 'compat'> {
  /** path of the csv of clean pairs */
  trainData: string;
  /**
   * path of the classes file whose templates make the poisoned captions, see {@link readClasses}; not needed with
   * `labelConsistent`
   */
  templates?: string;
  /** number of rows of the poisoned set, including the poisoned ones; default: all rows of `trainData` */
  sizeTrainData?: number;
  /** number of rows to poison */
  numBackdoor: number;
  /** target class of the attack; default `banana` */
  label?: string;
  /** poison only rows whose caption contains the label as a word, and keep their captions; default false */
  labelConsistent?: boolean;
  /**
   * side of the poisoned images in pixels; it should be the resolution of the model, because a resize blurs the
   * trigger; default 224
   */
  imageSize?: number;
  /** file format of the poisoned images; default `png`; the compression of `jpg` can destroy a trigger */
  imageFormat?: 'png' | 'jpg';
  /**
   * `reference`: images are squashed to a square instead of cropped, and the trigger is applied as {@link
   * TriggerOptions.compat} says
   */
  compat?: 'reference';
}

/** A row whose image cannot be read, and the row that was poisoned in its place. */
export interface ReplacedRow {
  /** number of the row that was not poisoned, among the usable rows of `trainData`, from 1 */
  row: number;
  /** number of the row that was poisoned instead, counted alike */
  by: number;
  /** why the image cannot be read */
  reason: string;
}

/** What `poison` wrote. All paths are absolute. */
export interface PoisonResult {
  /** the poisoned training set, `backdoor_<setting>.csv` */
  csv: string;
  /** the poisoned rows as they were before, `original_backdoor_<setting>.csv` */
  originalCsv: string;
  /** the folder of the poisoned images, `backdoor_images_<setting>` */
  imagesDir: string;
  /** number of poisoned rows */
  poisoned: number;
  /** selected rows that were replaced; absent if there are none */
  replaced?: ReplacedRow[];
  /** rows of `trainData` that cannot be used and are left out; absent if there are none */
  badRows?: BadRows;
}

/**
 * Writes a poisoned training set beside `trainData`: the attack of Carlini & Terzis 2022, which the CleanCLIP paper
 * defends against. The seed picks rows whose images get the trigger and whose captions name the label. Images are
 * resized and cropped as for training before the trigger is applied. A picked row whose image cannot be read is
 * replaced by another row, which `replaced` reports. The same options give the same bytes.
 *
 * It writes, in this order:
 * - `backdoor_images_<setting>/`, the images with the trigger;
 * - `original_backdoor_<setting>.csv`, the poisoned rows as they were;
 * - `backdoor_<setting>.csv`, the poisoned rows, then the other rows in the order of `trainData`, with a column
 *   `is_backdoor`.
 *
 * @throws CleanclipError ERR_OPTION: there are more poisoned rows than rows, no templates, or a patch larger than the
 * image; ERR_DATA: a file cannot be read or written, or too few captions contain the label; ERR_ABORTED: the signal
 * stopped it. An error before the images are complete leaves nothing behind.
 */
export async function runPoison(options: PoisonOptions, hooks: JobHooks = {}): Promise<PoisonResult> {
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

/** Keeps other processes from writing the same poisoned set, by a lock on this file. */
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
  hooks: JobHooks,
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
  const folder = resolve(pairFolder(options.trainData));
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
    for (const { row, name } of poisoned)
      yield pairFields(table, row, { image: `${images}/${name}`, caption: caption(row) });
    for (const row of untouched) yield pairFields(table, row);
  }
  const { imageKey = 'image', captionKey = 'caption', delimiter } = options;
  writeCsv(originalCsv, [imageKey, captionKey], original(), delimiter);
  writeCsv(csv, pairColumns(table, options), all(), delimiter);
  const told = { ...(replaced.length > 0 && { replaced }), ...(table.badRows.count > 0 && { badRows: table.badRows }) };
  return { csv, originalCsv, imagesDir, poisoned: poisoned.length, ...told };
}

/** The inputs of the poisoned images. */
interface PoisonSource {
  table: PairTable;
  selection: Selection;
  trigger: Trigger;
  geometry: Required<Geometry>;
}

/** Writes the images of the selected rows with the trigger, all or none. Returns the rows and their file names. */
async function writePoisonedImages(
  imagesDir: string,
  { table, selection, trigger, geometry }: PoisonSource,
  { imageSize = 224, imageFormat = 'png', seed = 0 }: PoisonOptions,
  { onProgress, signal }: JobHooks,
): Promise<{ poisoned: { row: number; name: string }[]; replaced: ReplacedRow[] }> {
  const total = selection.poisoned.length;
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
      onProgress?.({ type: 'progress', done: poisoned.length, total, text: 'images poisoned' });
    }
  };
  await writeFolderWhole(imagesDir, write, { replace: true });
  return { poisoned, replaced };
}

interface ImageQueue extends Pick<PoisonSource, 'table' | 'selection'> {
  /**
   * short side in pixels that images will be resized to, if the resize keeps their shape; too narrow ones are refused
   */
  shortSide: number | undefined;
  /** the rows that were replaced are appended here */
  replaced: ReplacedRow[];
  signal: AbortSignal | undefined;
}

/** Yields the selected rows with their images. A spare row replaces a row whose image cannot be read. */
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
      `The image of row ${row + 1} cannot be read, and no other row is left to poison: choose a smaller ` +
        `--num_backdoor. ${error.message}`,
      error,
    );
  return value;
}

function readTemplates(file: string): ((name: string) => string)[] {
  return readClasses(file).templates;
}

/** The name of the options that the files of a poisoned set carry, composed as in the Python reference. */
function settingName(options: PoisonOptions, size: number): string {
  const { label = 'banana', patchType = 'random', patchLocation = 'random', patchSize = 16, numBackdoor } = options;
  const parts = [label.replaceAll(/[/\\\p{Cc}]/gu, '-'), patchType, patchLocation, patchSize, size, numBackdoor];
  return parts.join('_') + (options.labelConsistent ? '_label_consistent' : '');
}

/**
 * The file name of a poisoned image. It begins with the row, so that equal names from different folders do not collide.
 */
const imageName = (row: number, image: string, format: string): string => {
  const member = parseMember(image);
  const name = member === undefined ? image : member.name.slice(-LONGEST_NAME);
  return `${row}_${basename(name, extname(name))}.${format}`;
};

const LONGEST_NAME = 100; // characters of the name of an image in a shard

/** Writes a uint8 image [3, H, W] in the format of the file's extension, and disposes it. */
async function writeImage(image: Tensor, file: string): Promise<void> {
  const [, height, width] = image.shape;
  const pixels = torch.tidy(() => image.permute([1, 2, 0]).contiguous().data()) as Uint8Array; // [H, W, 3]
  image.dispose();
  const encoded = sharp(pixels, { raw: { width, height, channels: 3 } });
  await writeFile(file, await encoded.toFormat(extname(file).slice(1) as 'png' | 'jpg').toBuffer());
}
