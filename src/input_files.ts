import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

import { CleanclipError, type ErrorCode, shown } from './errors';

/** What is expected of a file that a user names. */
export interface InputOptions {
  /** what the file should hold, with an article, as in "Expected an image in 'x.png'" */
  wanted: string;
  /** largest size in bytes; default 2^53 − 1 */
  maxBytes?: number;
  /** code of the error; default `ERR_DATA` */
  code?: ErrorCode;
}

// Without O_NONBLOCK a FIFO without a writer, or a device, would block the caller for ever. Regular files ignore it.
const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/**
 * Opens a file that a user names. It refuses folders, FIFOs, sockets and devices at once, and files that are too large.
 * @returns the descriptor, which the caller closes, and the size in bytes
 * @throws CleanclipError `ERR_DATA`, or `options.code`
 */
export function openRegular(path: string, options: InputOptions): { fd: number; size: number } {
  let fd: number | undefined;
  try {
    refuseIrregular(path, statSync(path), options); // before opening, which alone may start a device
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

/** Reads the bytes of a file that {@link openRegular} accepts. */
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

/** Reads the bytes of a file as {@link readRegular} does, off the event loop. */
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

/** Turns an error of the file system into a CleanclipError that names the file. Other errors pass unchanged. */
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
