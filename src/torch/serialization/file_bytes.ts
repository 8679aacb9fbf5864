import { readSync, type Stats } from 'node:fs';

import { Fault } from './fault';
import type { Unread } from './pickle/plain';

/** What is read into memory at once, names and numbers, takes a few MB in a checkpoint. */
const maxInMemory = 1 << 30;

/** A checkpoint that is open for reading. */
export interface CheckpointFile {
  readonly fd: number;
  /** what it was when it was opened */
  readonly stats: Stats;
  /** whether its records are mapped instead of read */
  readonly mmap: boolean;
  /** gets what its pickle holds and was left unread */
  readonly unread: Unread[];
  readonly bytes: FileBytes;
}

/** The bytes of a file, read where they are needed. */
export class FileBytes {
  /**
   * @param fd a file open for reading; it stays the caller's
   * @param length its size in bytes
   */
  constructor(
    private readonly fd: number,
    readonly length: number,
  ) {}

  /** Exactly these bytes, or a Fault. */
  read(offset: number, size: number): Buffer {
    if (offset + size > this.length) throw new Fault('is damaged or cut short: it refers to bytes behind its end');
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

/** A file with the face of a Buffer, for a pickle whose end is not known beforehand: it is read chunk by chunk. */
export class ReadAhead {
  #chunk: Buffer = Buffer.alloc(0);
  #start = 0;

  constructor(private readonly file: FileBytes) {}

  /** Bytes of the file. */
  get length(): number {
    return this.file.length;
  }

  /** The bytes from `start` to `end`, not included. */
  subarray(start: number, end: number): Buffer {
    if (start < this.#start || end > this.#start + this.#chunk.length) {
      this.#chunk = this.file.read(start, Math.min(Math.max(end - start, chunkBytes), this.length - start));
      this.#start = start;
    }
    return this.#chunk.subarray(start - this.#start, end - this.#start);
  }
}
