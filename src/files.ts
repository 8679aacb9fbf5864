import { randomBytes } from 'node:crypto';
import { appendFileSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join, basename } from 'node:path';

import { dataError } from './errors';

/**
 * Writes a file so that it appears whole or not at all: temporary name in the same folder, fsync, rename.
 * The folder is made if need be; an earlier file of that name stays untouched until the rename.
 *
 * @param path where the file shall appear
 * @param write receives the open descriptor of the temporary file
 * @throws CleanclipError `ERR_DATA` when the disk refuses, and whatever `write` throws
 */
export function writeWhole(path: string, write: (fd: number) => void): void {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`);
  try {
    mkdirSync(folder, { recursive: true });
    const fd = openSync(temporary, 'wx');
    try {
      write(fd);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    if (existsSync(temporary)) rmSync(temporary);
    throw asWriteError(path, error);
  }
}

/** Adds text to a file, which is made if need be; a power cut may lose or cut the last of it. Errors as {@link writeWhole}. */
export function append(path: string, text: string): void {
  try {
    appendFileSync(path, text);
  } catch (error) {
    throw asWriteError(path, error);
  }
}

/** An error of the file system as a sentence that names the file; others as they are. */
export function asWriteError(path: string, error: unknown): unknown {
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return error;
  const reason = /^\w+: (.*?), \w+/.exec(message)?.[1] ?? message;
  return dataError(`'${path}' cannot be written: ${reason} (${code}).`, error);
}

/** Removes what a killed process left of {@link writeWhole} in a folder that no other process writes to. */
export function removeLeftovers(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    if (/^\..+\.\d+\.[0-9a-f]{8}\.tmp$/.test(name)) rmSync(join(folder, name), { force: true });
  }
}

/** Writes text or bytes with {@link writeWhole}. */
export function writeFileWhole(path: string, content: string | Uint8Array): void {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
  writeWhole(path, (fd) => writeFully(fd, bytes));
}

/** Writes all of `bytes` at the descriptor's position; `writeSync` alone may stop short. */
export function writeFully(fd: number, bytes: Uint8Array): void {
  let written = 0;
  while (written < bytes.byteLength) {
    written += writeSync(fd, bytes, written, Math.min(bytes.byteLength - written, 1 << 30));
  }
}
