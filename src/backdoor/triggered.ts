import type { PairTable } from '../data/pairs';
import { CleanclipError, dataError } from '../errors';
import { encoderOf } from '../images/encode';
import { faultOf } from '../images/faults';
import { decodeImage } from '../images/image';
import { resizeCrop, resizedTo } from '../images/preprocess';
import type { Geometry } from '../images/preprocess_config';
import { Random } from '../random';
import { type Tensor, torch } from '../torch';
import type { Selection } from './selection';
import type { Trigger } from './triggers';

/** A row whose image cannot be read, and the row that was poisoned in its place. */
export interface ReplacedRow {
  /** number of the row that was not poisoned, among the usable rows of `trainData`, from 1 */
  row: number;
  /** number of the row that was poisoned instead, counted alike */
  by: number;
  /** why the image cannot be read */
  reason: string;
}

/** A poisoned row: its index from 0, and the bytes of its image with the trigger. */
export interface TriggeredImage {
  row: number;
  bytes: Buffer;
}

/** The inputs of poisoned images. */
export interface TriggerSource {
  table: PairTable;
  selection: Selection;
  trigger: Trigger;
  geometry: Required<Geometry>;
}

/**
 * Yields the images of the selected rows with the trigger, in their order. A spare row replaces a row whose image
 * cannot be read.
 *
 * @param replaced the rows that were replaced are appended here
 * @throws CleanclipError ERR_DATA: no spare row is left; ERR_ABORTED: the signal stopped it
 */
export async function* triggeredImages(
  { table, selection, trigger, geometry }: TriggerSource,
  {
    imageSize = 224,
    imageFormat = 'png',
    seed = 0,
  }: { imageSize?: number; imageFormat?: 'png' | 'jpg'; seed?: number },
  replaced: ReplacedRow[],
  signal: AbortSignal | undefined,
): AsyncGenerator<TriggeredImage> {
  const shortSide = resizedTo(imageSize, geometry); // too narrow images are refused if the resize keeps their shape
  for await (const { row, image } of readableImages({ table, selection, shortSide, replaced, signal })) {
    const triggered = torch.tidy(() => trigger.apply(resizeCrop(image, imageSize, geometry), new Random(seed, row)));
    image.dispose();
    const encoder = encoderOf(triggered);
    triggered.dispose();
    yield { row, bytes: await encoder.toFormat(imageFormat).toBuffer() };
  }
}

/** Stops poisoning when the signal has aborted. */
export function checkStopped(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new CleanclipError('Poisoning was stopped; nothing was written.', 'ERR_ABORTED');
}

interface ImageQueue extends Pick<TriggerSource, 'table' | 'selection'> {
  /** short side in pixels that images will be resized to, if the resize keeps their shape */
  shortSide: number | undefined;
  replaced: ReplacedRow[];
  signal: AbortSignal | undefined;
}

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
      checkStopped(signal);
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
