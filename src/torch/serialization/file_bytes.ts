import { readSync, type Stats } from 'node:fs';

import { Fault } from './fault';
import type { Unread } from './pickle/plain';

/** The most bytes read into memory at once. Names and numbers take a few MB in a real checkpoint. */
const maxInMemory = 1 << 30;

/** A checkpoint that is open for reading. */
export interface CheckpointFile {
  readonly fd: number;
  /** size and times of the file when it was opened */
  readonly stats: Stats;
  /** whether its records are mapped into memory instead of read */
  readonly mmap: boolean;
  /** collects the objects of its pickle that are left unread */
  readonly unread: Unread[];
  readonly bytes: FileBytes;
}

/** Reads bytes of a file on demand, at any offset. */
export class FileBytes {
  /**
   * @param fd a file open for reading; the caller closes it
   * @param length its size in bytes
   */
  constructor(
    private readonly fd: number,
    readonly length: number,
  ) {}

  /**
   * Reads exactly `size` bytes at `offset`.
   * @throws Fault when the file is shorter, or `size` is over 1 GiB
   */
  read(offset: number, size: number): Buffer {
    if (offset + size > this.length) throw new Fault('is damaged or cut short: it refers to bytes past its end');
    if (size > maxInMemory)
      throw new Fault(`is damaged: it has ${size} bytes where a checkpoint has a few MB of names and numbers`);
    const bytes = Buffer.alloc(size);
    let filled = 0;
    while (filled < size) {
      const got = readSync(this.fd, bytes, filled, size - filled, offset + filled);
      if (got === 0) throw new Fault('was cut short while it was read; load it again');
      filled += got;
    }
    return bytes;
  }
}

const chunkBytes = 1 << 16;

/**
 * A file that offers `length` and `subarray` as a Buffer does, and is read chunk by chunk. It suits a pickle whose end
 * is not known beforehand.
 */
export class ReadAhead {
  #chunk: Buffer = Buffer.alloc(0);
  #start = 0;

  constructor(private readonly file: FileBytes) {}

  /** Size of the file in bytes. */
  get length(): number {
    return this.file.length;
  }

  /** Returns the bytes from `start` up to, but not including, `end`. */
  subarray(start: number, end: number): Buffer {
    if (start < this.#start || end > this.#start + this.#chunk.length) {
      this.#chunk = this.file.read(start, Math.min(Math.max(end - start, chunkBytes), this.length - start));
      this.#start = start;
    }
    return this.#chunk.subarray(start - this.#start, end - this.#start);
  }
}
