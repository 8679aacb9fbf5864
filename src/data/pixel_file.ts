import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

import { dataError } from '../errors';
import { torch, type Tensor } from '../torch';
import type { SharedPairs } from './pairs';

/** A {@link PixelFile}, for worker threads. */
export interface SharedPixelFile {
  path: string;
  /** bytes a row has room for */
  slotBytes: number;
}

const HEADER = 24; // float64 time of the image file, uint32 height, uint32 width, uint32 CRC-32 of the pixels
const PAGE = 4096;

/**
 * Decoded images in a file, a slot of equal size for each row, which later epochs and runs read instead of decoding. What has been changed or torn
 * since is not used: each slot has the modification time of its image file, and a checksum.
 */
export class PixelFile {
  private readonly fd: number;
  private readonly stride: number;
  private readonly buffer: Buffer;
  private full = false;

  /** Opens the file of {@link nameFile}, which is made if need be. */
  constructor({ path, slotBytes }: SharedPixelFile) {
    try {
      closeSync(openSync(path, 'a'));
      this.fd = openSync(path, 'r+');
    } catch (error) {
      throw dataError(`The image cache '${path}' cannot be opened for writing (${(error as NodeJS.ErrnoException).code}); choose another --image_cache.`, error);
    }
    this.stride = Math.ceil((HEADER + slotBytes) / PAGE) * PAGE;
    this.buffer = Buffer.allocUnsafe(this.stride);
  }

  /** The file in a folder for the pairs of a table and what is stored of their images: its name tells all of that. */
  static nameFile(folder: string, pairs: SharedPairs, size: number, kind: string): SharedPixelFile {
    const hash = createHash('sha256').update(`${pairs.root} ${size} ${kind} ${pairs.strings.digest}`);
    if (pairs.rows !== undefined) hash.update(new Uint8Array(pairs.rows));
    try {
      mkdirSync(folder, { recursive: true });
    } catch (error) {
      throw dataError(`The folder '${folder}' of --image_cache cannot be made (${(error as NodeJS.ErrnoException).code}); choose another.`, error);
    }
    return { path: join(folder, `${hash.digest('hex').slice(0, 16)}.pixels`), slotBytes: 3 * size * size };
  }

  /**
   * The image stored for a row, uint8 [3, H, W], in memory a channels-last one as `decodeImage` gives it.
   * @param image path of its file
   */
  get(row: number, image: string): Tensor | undefined {
    const { buffer, stride } = this;
    const time = statSync(image, { throwIfNoEntry: false })?.mtimeMs;
    if (readSync(this.fd, buffer, 0, stride, row * stride) < HEADER || time === undefined || buffer.readDoubleLE(0) !== time) return undefined;
    const [height, width, sum] = [8, 12, 16].map((at) => buffer.readUInt32LE(at));
    const pixels = new Uint8Array(buffer.buffer, buffer.byteOffset + HEADER, Math.min(3 * height * width, stride - HEADER));
    if (pixels.length !== 3 * height * width || crc32(pixels) !== sum) return undefined;
    return torch.tidy(() => torch.tensor(pixels, { shape: [height, width, 3] }).permute([2, 0, 1]));
  }

  /** Stores an image, uint8 [3, H, W], if it fits its slot and the disk. */
  put(row: number, pixels: Tensor, image: string): void {
    const [channels, height, width] = pixels.shape;
    const length = HEADER + channels * height * width;
    const time = statSync(image, { throwIfNoEntry: false })?.mtimeMs;
    if (this.full || length > this.stride || time === undefined) return;
    const { buffer } = this;
    torch.tidy(() => {
      const bytes = pixels.permute([1, 2, 0]).contiguous().bytes();
      buffer.writeDoubleLE(time, 0);
      [height, width, crc32(bytes)].forEach((value, i) => buffer.writeUInt32LE(value, 8 + 4 * i));
      buffer.set(bytes, HEADER);
    });
    try {
      writeSync(this.fd, buffer, 0, length, row * this.stride);
    } catch {
      this.full = true; // the run goes on without storing more
    }
  }

  close(): void {
    closeSync(this.fd);
  }
}
