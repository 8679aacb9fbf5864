import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

import { CleanclipError, type ErrorCode, shown } from './errors';

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
