import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { getSystemErrorMap } from 'node:util';

import { CleanclipError, dataError, type ErrorCode, shown } from './errors';
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
 * What is said of a file that cannot be read: what was expected of it, the most bytes that it may have, and the code of
 * the error.
 */
export interface InputOptions {
  /** with its article, as in "Expected an image in 'x.png'" */
  wanted: string;
  /** bytes; default 2^53 − 1 */
  maxBytes?: number;
  /** default ERR_DATA */
  code?: ErrorCode;
}

// A FIFO without a writer, or a device, would hold the caller for ever without O_NONBLOCK, which regular files ignore.
const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/**
 * Opens a file that a user names. Folders, FIFOs, sockets and devices are refused at once, and so is a file that is too
 * large.
 * @returns the descriptor, which the caller closes, and the size in bytes
 * @throws CleanclipError `ERR_DATA`, or `options.code`
 */
export function openRegular(path: string, options: InputOptions): { fd: number; size: number } {
  let fd: number | undefined;
  try {
    refuseIrregular(path, statSync(path), options); // before it is opened: opening alone may set a device to work
    fd = openSync(path, READ);
    const stats = fstatSync(fd);
    refuseIrregular(path, stats, options);
    return { fd, size: stats.size };
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    throw asReadError(path, error, options);
  }
}

/** Opens a file as {@link openRegular} does, off the event loop. */
export async function openRegularAsync(
  path: string,
  options: InputOptions,
): Promise<{ handle: FileHandle; size: number }> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, READ);
    const stats = await handle.stat();
    refuseIrregular(path, stats, options);
    return { handle, size: stats.size };
  } catch (error) {
    await handle?.close();
    throw asReadError(path, error, options);
  }
}

/** The bytes of a file that {@link openRegular} takes. */
export function readRegular(path: string, options: InputOptions): Buffer {
  const { fd, size } = openRegular(path, options);
  try {
    const bytes = Buffer.allocUnsafe(size);
    let read = 0;
    for (let got = -1; got !== 0 && read < size; read += got) got = readSync(fd, bytes, read, size - read, read);
    return bytes.subarray(0, read);
  } catch (error) {
    throw asReadError(path, error, options);
  } finally {
    closeSync(fd);
  }
}

/** The bytes of a file as {@link readRegular} gives them, read off the event loop. */
export async function readRegularAsync(path: string, options: InputOptions): Promise<Buffer> {
  const { handle, size } = await openRegularAsync(path, options);
  try {
    const bytes = Buffer.allocUnsafe(size);
    let read = 0;
    for (let got = -1; got !== 0 && read < size; read += got)
      got = (await handle.read(bytes, read, size - read, read)).bytesRead;
    return bytes.subarray(0, read);
  } catch (error) {
    throw asReadError(path, error, options);
  } finally {
    await handle.close();
  }
}

function refuseIrregular(
  path: string,
  stats: Stats,
  { wanted, maxBytes = Number.MAX_SAFE_INTEGER, code = 'ERR_DATA' }: InputOptions,
): void {
  const refuse = (what: string): never => {
    throw new CleanclipError(`Expected ${wanted} in '${shown(path)}', but it is ${what}.`, code);
  };
  if (stats.isDirectory()) refuse('a folder; name a file');
  if (stats.isFIFO()) refuse('a FIFO; copy what comes out of it into a file');
  if (stats.isSocket()) refuse('a socket; name a file');
  if (!stats.isFile()) refuse('a device; name a file');
  if (stats.size > maxBytes) refuse(`larger than ${maxBytes} bytes: it has ${stats.size}`);
}

/** An error of the file system as a sentence that names the file; others as they are. */
export function asReadError(
  path: string,
  error: unknown,
  { wanted, code: errorCode = 'ERR_DATA' }: InputOptions,
): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return error;
  const reasons: Record<string, string> = {
    ENOENT: 'there is no such file',
    EACCES: 'this user may not read it (EACCES)',
    ENXIO: 'it is a socket or a device; name a file',
    EMFILE: 'this process has too many open files (EMFILE); raise the limit with ulimit -n',
    ENFILE: 'the system has too many open files (ENFILE)',
  };
  return new CleanclipError(
    `Expected ${wanted} in '${shown(path)}', but ${reasons[code] ?? `it cannot be read (${code})`}.`,
    errorCode,
    { cause: error },
  );
}

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
