import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readSync, statfsSync, type Stats, statSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';

import { dataError } from '../errors';
import { fileOf } from '../images/members';
import { type Tensor, torch } from '../torch';
import type { SharedPairs } from './pairs';
import type { Found } from './pixel_cache';

/** The data of a {@link PixelFile}, for worker threads. */
export interface SharedPixelFile {
  path: string;
  /** bytes for the pixels of a row */
  slotBytes: number;
  /** int32, the slot of each row of a selection; absent: row i has slot i */
  slots?: SharedArrayBuffer;
  /** int32 [1]: OPEN, FULL or FULL_AND_TOLD; see {@link fullWarning} */
  state: SharedArrayBuffer;
}

const HEADER = 40; // bytes: uint32 MAGIC, height, width, CRC-32 of the pixels; float64 of each of STAMP
const MAGIC = 0x32784c50; // differs from an unwritten slot and from earlier versions of the format
// properties of the image file; one of them differs when the file was changed or replaced
const STAMP = ['size', 'mtimeMs', 'ctimeMs'] as const;
const PAGE = 4096;
const SPARE = 1 / 20; // share of the disk that stays free for other files, such as checkpoints

const OPEN = 0;
const FULL = 1;
const FULL_AND_TOLD = 2;

/**
 * A cache of decoded images in a file, which has a slot of the same size for each row of a csv. Later epochs and runs
 * read the images instead of decoding them. A slot contains the size and times of its image file and a checksum, so a
 * stale or partly written slot is not used.
 */
export class PixelFile {
  private readonly fd: number;
  private readonly stride: number;
  private readonly buffer: Buffer;
  private readonly slots: Int32Array | undefined;
  private readonly state: Int32Array;
  private readonly folder: string;

  /**
   * Opens the file of {@link nameFile}; creates it if needed.
   * @throws CleanclipError ERR_DATA: the file cannot be opened for writing
   */
  constructor({ path, slotBytes, slots, state }: SharedPixelFile) {
    try {
      closeSync(openSync(path, 'a'));
      this.fd = openSync(path, 'r+');
    } catch (error) {
      throw dataError(
        `The image cache '${path}' cannot be opened for writing (${(error as NodeJS.ErrnoException).code}); ` +
          'choose another --image_cache.',
        error,
      );
    }
    this.stride = strideOf(slotBytes);
    this.buffer = Buffer.allocUnsafe(this.stride);
    this.slots = slots && new Int32Array(slots);
    this.state = new Int32Array(state);
    this.folder = dirname(path);
  }

  /**
   * Names the file in a folder that caches the images of a csv, and creates the folder. The name depends on the pairs
   * of the csv, `size` and `kind`, but not on a selection of rows.
   * @param kind what is stored of the images, such as the name of their geometry
   * @throws CleanclipError ERR_DATA: the folder cannot be created
   */
  static nameFile(folder: string, pairs: SharedPairs, size: number, kind: string): SharedPixelFile {
    const hash = createHash('sha256').update(`${pairs.root} ${size} ${kind} ${pairs.strings.digest}`);
    try {
      mkdirSync(folder, { recursive: true });
    } catch (error) {
      throw dataError(
        `The folder '${folder}' of --image_cache cannot be made (${(error as NodeJS.ErrnoException).code}); ` +
          'choose another.',
        error,
      );
    }
    const path = join(folder, `${hash.digest('hex').slice(0, 16)}.pixels`);
    return { path, slotBytes: 3 * size * size, slots: pairs.rows, state: new SharedArrayBuffer(4) };
  }

  /**
   * Returns the decoded image of a row, or a function that stores it; neither if the image file is missing.
   * @param path of the image file, or its address inside a larger file
   */
  find(row: number, path: string): Found {
    const file = statSync(fileOf(path), { throwIfNoEntry: false });
    if (file === undefined) return {};
    const slot = this.slots?.[row] ?? row;
    const image = this.read(slot, file);
    return image === undefined ? { keep: (decoded) => this.write(slot, file, decoded) } : { image };
  }

  /** Closes the file. */
  close(): void {
    closeSync(this.fd);
  }

  private read(slot: number, file: Stats): Tensor | undefined {
    const { buffer, stride } = this;
    if (readSync(this.fd, buffer, 0, stride, slot * stride) < HEADER) return undefined;
    const [magic, height, width, sum] = [0, 4, 8, 12].map((at) => buffer.readUInt32LE(at));
    const fits =
      magic === MAGIC &&
      3 * height * width <= stride - HEADER &&
      STAMP.every((key, i) => buffer.readDoubleLE(16 + 8 * i) === file[key]);
    if (!fits) return undefined;
    const pixels = buffer.subarray(HEADER, HEADER + 3 * height * width);
    if (crc32(pixels) !== sum) return undefined;
    return torch.tidy(() => torch.tensor(pixels, { shape: [height, width, 3] }).permute([2, 0, 1]));
  }

  /** Stores an image, uint8 [3, H, W], if it fits into its slot and onto the disk. */
  private write(slot: number, file: Stats, pixels: Tensor): void {
    const [channels, height, width] = pixels.shape;
    const length = HEADER + channels * height * width;
    if (length > this.stride || Atomics.load(this.state, 0) !== OPEN) return;
    const { buffer } = this;
    torch.tidy(() => buffer.set(pixels.permute([1, 2, 0]).contiguous().bytes(), HEADER));
    [MAGIC, height, width, crc32(buffer.subarray(HEADER, length))].forEach((value, i) =>
      buffer.writeUInt32LE(value, 4 * i),
    );
    STAMP.forEach((key, i) => buffer.writeDoubleLE(file[key], 16 + 8 * i));
    try {
      if (roomIn(this.folder) >= 0) return void writeSync(this.fd, buffer, 0, length, slot * this.stride);
    } catch {
      // the run continues, but no more images are stored
    }
    Atomics.compareExchange(this.state, 0, OPEN, FULL);
  }
}

/** Returns a warning when a file of `rows` images may be too large for its disk. */
export function roomWarning({ path, slotBytes }: SharedPixelFile, rows: number): string | undefined {
  const used = 512 * (statSync(path, { throwIfNoEntry: false })?.blocks ?? 0);
  const growth = rows * strideOf(slotBytes) - used;
  const room = Math.max(0, roomIn(dirname(path)));
  if (growth <= room) return undefined;
  return (
    `The image cache '${path}' may grow by ${megabytes(growth)}, but its disk has room for ${megabytes(room)}: ` +
    'images that do not fit are decoded in every epoch; choose an --image_cache on a larger disk.'
  );
}

/**
 * Returns a warning when the disk of the file is full; undefined if it is not, or if the warning was returned before.
 */
export function fullWarning({ path, state }: SharedPixelFile): string | undefined {
  if (Atomics.compareExchange(new Int32Array(state), 0, FULL, FULL_AND_TOLD) !== FULL) return undefined;
  return (
    `The image cache '${path}' takes no more images, because its disk is full or nearly full: images that are not in ` +
    'it are decoded in every epoch.'
  );
}

const strideOf = (slotBytes: number): number => Math.ceil((HEADER + slotBytes) / PAGE) * PAGE;

/** The bytes of a folder's disk that a cache may still take; negative when too little is free. */
function roomIn(folder: string): number {
  const { bavail, blocks, bsize } = statfsSync(folder);
  return (bavail - SPARE * blocks) * bsize;
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toLocaleString('en', { maximumFractionDigits: 1 })} MB`;
