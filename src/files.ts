import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  existsSync,
  fsync,
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
import { getSystemErrorMap, promisify } from 'node:util';

import { dataError } from './errors';
import { writeRefusal } from './write_refusal';

/**
 * Writes a file so that it appears whole or not at all: a temporary file in the same folder, fsync, rename, fsync of
 * the folder. The folder is made if needed. An earlier file of that name stays untouched until the rename.
 *
 * @param path path of the file
 * @param write receives the open descriptor of the temporary file
 * @throws CleanclipError `ERR_DATA` when the file cannot be written; also whatever `write` throws
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
 * Writes a file as {@link writeWhole} does, from pieces that arrive one by one. When the pieces end with an error,
 * nothing is left.
 */
export async function writeChunksWhole(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const file = new TemporaryFile(path);
  try {
    for await (const chunk of chunks) writeFully(file.fd, chunk);
    await promisify(fsync)(file.fd); // which may take seconds: other work of the thread goes on
    file.keep();
  } catch (error) {
    file.discard();
    throw error;
  }
}

/**
 * Writes a file as {@link writeWhole} does, on another thread.
 *
 * @param write fills the temporary file, syncs it and renames it to `path`; it returns 0, or the system's `-errno`
 * @throws CleanclipError `ERR_DATA` when the disk refuses
 */
export async function writeWholeAsync(
  path: string,
  write: (fd: number, temporary: string) => Promise<number>,
): Promise<void> {
  const file = new TemporaryFile(path);
  try {
    const errno = await write(file.fd, file.temporary);
    if (errno !== 0) throw systemError(errno, 'write');
    file.close();
  } catch (error) {
    file.discard();
    throw asWriteError(path, error);
  }
}

/**
 * Checks that a file can be written, before the long work that makes it.
 * @throws CleanclipError `ERR_DATA` when it cannot
 */
export const checkWritable = (path: string): void => new TemporaryFile(path).discard();

/** A file that gets its name only when it is kept. */
class TemporaryFile {
  readonly fd: number;
  readonly temporary: string;
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

  close(): void {
    if (this.open) closeSync(this.fd);
    this.open = false;
  }
}

/** Makes the disk keep the contents of a file (fsync). */
export function syncFile(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Makes the disk keep the names in a folder, where the system can. Without it a power cut may undo a rename. */
export function syncFolder(folder: string): void {
  try {
    const fd = openSync(folder, 'r');
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch {
    // Windows cannot open folders, and some file systems cannot sync them.
  }
}

/**
 * Opens a file without a name, for reading and writing, in the folder of the system for temporary files. The file
 * disappears when it is closed, or when the process ends for any reason.
 */
export function openNameless(): number {
  const path = join(tmpdir(), temporaryName('cleanclip'));
  const fd = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  return fd;
}

/** Makes a temporary name that {@link removeLeftovers} recognises. */
export const temporaryName = (name: string): string => `.${name}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;

/**
 * Appends text to a file, which is made if needed. A power cut may lose or cut the end of it. Errors are those of
 * {@link writeWhole}.
 */
export function append(path: string, text: string): void {
  try {
    appendFileSync(path, text);
  } catch (error) {
    throw asWriteError(path, error);
  }
}

/** Turns an error of the file system into a CleanclipError that names the file. Other errors pass unchanged. */
export function asWriteError(path: string, error: unknown): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return error;
  return dataError(`'${path}' cannot be written: ${writeRefusal(path, error as NodeJS.ErrnoException)}.`, error);
}

/**
 * Removes the temporary files that a killed process left of {@link writeWhole}.
 * @param age milliseconds since the last write, before which a file is kept; 0 (default) when no other process writes
 * there
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

/**
 * Removes the temporary files that killed processes left of one file or folder, which no other process may be writing.
 */
export function removeLeftoversOf(path: string): void {
  const [folder, start] = [dirname(path), `.${basename(path)}.`];
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder))
    if (name.startsWith(start) && /^\d+\.[0-9a-f]{8}\.tmp$/.test(name.slice(start.length)))
      rmSync(join(folder, name), { recursive: true, force: true });
}

/** Writes a string (as UTF-8) or bytes with {@link writeWhole}. */
export function writeFileWhole(path: string, content: string | Uint8Array): void {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
  writeWhole(path, (fd) => writeFully(fd, bytes));
}

/**
 * Writes all of `bytes`, at the position of the descriptor unless one is given. `writeSync` alone may write only a
 * part.
 */
export function writeFully(fd: number, bytes: Uint8Array, position?: number): void {
  let written = 0;
  while (written < bytes.byteLength) {
    const at = position === undefined ? null : position + written;
    written += writeSync(fd, bytes, written, Math.min(bytes.byteLength - written, 1 << 30), at);
  }
}

/** Makes the error that `node:fs` throws for the `-errno` of a system call. */
export function systemError(errno: number, syscall: string): Error {
  const [code, reason] = getSystemErrorMap().get(errno) ?? ['UNKNOWN', 'unknown error'];
  return Object.assign(new Error(`${code}: ${reason}, ${syscall}`), { errno, code, syscall });
}
