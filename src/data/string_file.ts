import { createHash } from 'node:crypto';
import { closeSync, readSync } from 'node:fs';
import { tmpdir } from 'node:os';

import { dataError } from '../errors';
import { openNameless, writeFully } from '../files';
import { NumberList } from './number_list';

/** The data of a `StringFile`, which can be sent to a worker thread without a copy. */
export interface SharedStrings {
  /** descriptor of the file, valid in all threads of the process */
  fd: number;
  /** float64, the byte offset of each block in the file, then the end of the last block */
  starts: SharedArrayBuffer;
  /** SHA-256 of the file, hexadecimal */
  digest: string;
}

const BLOCK = 16; // strings per block; a block is a JSON array in the file and is read at once
const CHUNK = 1 << 16; // characters that are written at once

/**
 * A list of strings in a nameless temporary file that a {@link StringFileWriter} wrote. Memory is half a byte per
 * string. The file is closed when the thread that wrote it no longer references its {@link SharedStrings}.
 */
export class StringFile {
  private readonly starts: Float64Array;
  private block = -1;
  private strings: string[] = [];

  constructor(private readonly shared: SharedStrings) {
    this.starts = new Float64Array(shared.starts);
  }

  /** Returns string `index`, from 0. The other strings of its block are then in memory. */
  get(index: number): string {
    const block = Math.floor(index / BLOCK);
    if (block !== this.block) {
      this.strings = this.read(block);
      this.block = block;
    }
    return this.strings[index % BLOCK];
  }

  private read(block: number): string[] {
    const start = this.starts[block];
    const bytes = Buffer.allocUnsafe(this.starts[block + 1] - start);
    readSync(this.shared.fd, bytes, 0, bytes.length, start);
    return JSON.parse(bytes.toString()) as string[];
  }
}

const files = new FinalizationRegistry<number>(closeSync);

/** Writes a `StringFile`. */
export class StringFileWriter {
  private readonly shared: SharedStrings = {
    fd: inTemporaryFolder(openNameless),
    starts: new SharedArrayBuffer(0),
    digest: '',
  };
  private readonly hash = createHash('sha256');
  private readonly starts = new NumberList(Float64Array);
  private end = 0;
  private block: string[] = [];
  private chunk = '';

  constructor() {
    files.register(this.shared, this.shared.fd);
  }

  /**
   * Appends a string.
   * @throws CleanclipError ERR_DATA: the disk is full
   */
  add(text: string): void {
    if (this.block.push(text) === BLOCK) this.endBlock();
  }

  /**
   * Writes the rest and returns the data for {@link StringFile}.
   * @throws CleanclipError ERR_DATA: the disk is full
   */
  finish(): SharedStrings {
    if (this.block.length > 0) this.endBlock();
    this.write();
    this.starts.push(this.end);
    return Object.assign(this.shared, { starts: this.starts.finish(), digest: this.hash.digest('hex') });
  }

  private endBlock(): void {
    const json = JSON.stringify(this.block);
    this.block = [];
    this.starts.push(this.end);
    this.end += Buffer.byteLength(json);
    this.chunk += json;
    if (this.chunk.length >= CHUNK) this.write();
  }

  private write(): void {
    const bytes = Buffer.from(this.chunk);
    this.chunk = '';
    this.hash.update(bytes);
    inTemporaryFolder(() => writeFully(this.shared.fd, bytes));
  }
}

function inTemporaryFolder<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw dataError(
      `The text of the data cannot be written to the folder '${tmpdir()}' (${code}); make room there, or name ` +
        'another folder with TMPDIR.',
      error,
    );
  }
}
