import { createHash } from 'node:crypto';
import { closeSync, readSync } from 'node:fs';
import { tmpdir } from 'node:os';

import { dataError } from '../errors';
import { openNameless, writeFully } from '../files';

/** The memory of a `StringFile`. It can be sent to a worker thread without a copy. */
export interface SharedStrings {
  /** descriptor of the file, which all threads of the process have */
  fd: number;
  /** float64: where each block begins in the file, and where the last one ends */
  starts: SharedArrayBuffer;
  /** SHA-256 of the file, hexadecimal */
  digest: string;
}

const BLOCK = 16; // strings that are read at once: each is a JSON array in the file
const CHUNK = 1 << 16; // characters that are written at once

/**
 * A list of strings in a temporary file without a name, which is written by a {@link StringFileWriter}. Memory is half
 * a byte a string. The file goes when nothing in the thread that wrote it refers to the {@link SharedStrings} any more.
 */
export class StringFile {
  private readonly starts: Float64Array;
  private block = -1;
  private strings: string[] = [];

  constructor(private readonly shared: SharedStrings) {
    this.starts = new Float64Array(shared.starts);
  }

  /** String `index`, from 0. Those around it come without reading again. */
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
  private readonly starts: number[] = [];
  private end = 0;
  private block: string[] = [];
  private chunk = '';

  constructor() {
    files.register(this.shared, this.shared.fd);
  }

  /** @throws CleanclipError ERR_DATA: the disk is full */
  add(text: string): void {
    if (this.block.push(text) === BLOCK) this.endBlock();
  }

  /** @throws CleanclipError ERR_DATA: the disk is full */
  finish(): SharedStrings {
    if (this.block.length > 0) this.endBlock();
    this.write();
    const starts = new Float64Array(new SharedArrayBuffer(8 * (this.starts.length + 1)));
    starts.set(this.starts);
    starts[this.starts.length] = this.end;
    return Object.assign(this.shared, { starts: starts.buffer, digest: this.hash.digest('hex') });
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
      `The folder '${tmpdir()}' does not take the text of the data (${code}); make room there, or name another ` +
        'folder with TMPDIR.',
      error,
    );
  }
}
