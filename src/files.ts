import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { getSystemErrorMap } from 'node:util';

import { dataError } from './errors';
import { writeRefusal } from './write_refusal';

/**
 * Writes a file so that it appears whole or not at all: temporary name in the same folder, fsync, rename, fsync of the
 * folder. The folder is made if need be; an earlier file of that name stays untouched until the rename.
 *
 * @param path where the file shall appear
 * @param write receives the open descriptor of the temporary file
 * @throws CleanclipError `ERR_DATA` when the disk refuses, and whatever `write` throws
 */
export function writeWhole(path: string, write: (fd: number) => void): void {
  const file = new TemporaryFile(path);
  try {
    write(file.fd);
    file.keep();
  } catch (error) {
    file.discard();
    throw asWriteError(path, error);
  }
}

/**
 * Writes a file as {@link writeWhole} does, from pieces that arrive one by one; when they end with an error nothing is
 * left.
 */
export async function writeChunksWhole(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const file = new TemporaryFile(path);
  try {
    for await (const chunk of chunks) writeFully(file.fd, chunk);
    file.keep();
  } catch (error) {
    file.discard();
    throw error;
  }
}

/** A file that has its name only once it is kept. */
class TemporaryFile {
  readonly fd: number;
  private readonly temporary: string;
  private open = true;

  constructor(private readonly path: string) {
    const folder = dirname(path);
    this.temporary = join(folder, temporaryName(basename(path)));
    try {
      mkdirSync(folder, { recursive: true });
      this.fd = openSync(this.temporary, 'wx');
    } catch (error) {
      throw asWriteError(path, error);
    }
  }

  keep(): void {
    fsyncSync(this.fd);
    this.close();
    renameSync(this.temporary, this.path);
    syncFolder(dirname(this.path));
  }

  discard(): void {
    this.close();
    rmSync(this.temporary, { force: true });
  }

  private close(): void {
    if (this.open) closeSync(this.fd);
    this.open = false;
  }
}

/** Makes the disk keep what a file holds. */
export function syncFile(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Makes the disk keep the names in a folder, where the system can: without it a power cut may undo a rename. */
export function syncFolder(folder: string): void {
  try {
    const fd = openSync(folder, 'r');
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch {
    // Windows opens no folders, and some file systems sync none.
  }
}

/**
 * Opens a file that has no name, for reading and writing, in the system's folder for temporary files: it goes when it
 * is closed, or when the process ends in whatever way.
 */
export function openNameless(): number {
  const path = join(tmpdir(), temporaryName('cleanclip'));
  const fd = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  return fd;
}

/** Such a name as {@link removeLeftovers} knows. */
export const temporaryName = (name: string): string => `.${name}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;

/**
 * Adds text to a file, which is made if need be; a power cut may lose or cut the last of it. Errors as {@link
 * writeWhole}.
 */
export function append(path: string, text: string): void {
  try {
    appendFileSync(path, text);
  } catch (error) {
    throw asWriteError(path, error);
  }
}

/** An error of the file system as a sentence that names the file; others as they are. */
export function asWriteError(path: string, error: unknown): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return error;
  return dataError(`'${path}' cannot be written: ${writeRefusal(path, error as NodeJS.ErrnoException)}.`, error);
}

/**
 * Removes what a killed process left of {@link writeWhole}.
 * @param age milliseconds since it was last written; 0 where no other process writes
 */
export function removeLeftovers(folder: string, age = 0): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const idle = (): number => Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (/^\..+\.\d+\.[0-9a-f]{8}\.tmp$/.test(name) && (age === 0 || idle() > age))
      rmSync(path, { recursive: true, force: true });
  }
}

/** Writes text or bytes with {@link writeWhole}. */
export function writeFileWhole(path: string, content: string | Uint8Array): void {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
  writeWhole(path, (fd) => writeFully(fd, bytes));
}

/** Writes all of `bytes`, at the descriptor's own position unless one is given; `writeSync` alone may stop short. */
export function writeFully(fd: number, bytes: Uint8Array, position?: number): void {
  let written = 0;
  while (written < bytes.byteLength) {
    const at = position === undefined ? null : position + written;
    written += writeSync(fd, bytes, written, Math.min(bytes.byteLength - written, 1 << 30), at);
  }
}

/** The error that `node:fs` throws for a system call's `-errno`. */
export function systemError(errno: number, syscall: string): Error {
  const [code, reason] = getSystemErrorMap().get(errno) ?? ['UNKNOWN', 'unknown error'];
  return Object.assign(new Error(`${code}: ${reason}, ${syscall}`), { errno, code, syscall });
}
