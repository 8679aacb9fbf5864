import { closeSync, existsSync, fstatSync } from 'node:fs';

import { CleanclipError, optionError } from '../../errors';
import { openRegular } from '../../input_files';
import { checkInteger } from '../../integers';
import { Fault, shown } from './fault';
import { type CheckpointFile, FileBytes } from './file_bytes';
import { readLegacy } from './formats/legacy';
import { readMetadata, readSafetensors } from './formats/safetensors';
import { type Format, formatOf } from './formats/signature';
import type { Unread } from './pickle/plain';
import { readZip } from './zip/format';

/** Options of `torch.load`. */
export interface LoadOptions {
  /**
   * Map the file into memory instead of reading it. Opening takes no time, and memory is used as tensors are touched.
   * Default false, as in Python.
   *
   * Nobody may write to the file until the last of its tensors is freed. Overwriting it in place changes tensors that
   * were not touched yet; truncating it ends the process (SIGBUS). Replacing it by another file of the same name is
   * safe.
   */
  mmap?: boolean;
  /**
   * Is called with the objects that were left unread, if there are any. Default: `process.emitWarning` reports them.
   */
  onUnread?: (unread: readonly Unread[]) => void;
  /** largest file to read, in bytes; default: no limit */
  maxBytes?: number;
}

/**
 * Reads a checkpoint and executes nothing in it. The content decides the format. Zip and the older format before torch
 * 1.6 are those of `torch.save`; {@link save} writes zip too. A TorchScript archive gives its state dict, and
 * safetensors gives an object of tensors. Each record of the file is read into a storage of its own, on all threads.
 * Tensors that share a record in the file share memory here.
 *
 * Dicts become objects, OrderedDicts {@link OrderedDict}, dicts with int keys {@link IntDict}, other dicts Maps. Lists
 * become arrays, tuples {@link PyTuple}, None null, ints numbers (bigints beyond 2^53), bytes Uint8Arrays. Dtypes and
 * devices become their names. Tensors come to the CPU and keep dtype, strides, storage offset, requires_grad and shared
 * memory.
 *
 * Numpy arrays become tensors, and numpy scalars become numbers. Counters and defaultdicts become dicts, deques lists,
 * and storages tensors of one dimension. Subclasses of Tensor become tensors without their attributes.
 *
 * An object of any other class becomes a {@link PyObject}, an inert record of what its pickle says, and
 * {@link LoadOptions.onUnread} reports it. The same holds for sparse, quantized, meta and nested tensors, and for
 * dtypes that libtorch lacks here. A file is refused when it passes a tensor to an unknown function and uses that
 * tensor elsewhere, for the function might change it.
 *
 * Source: `torch.load(weights_only=True)`, which raises an error where this function makes a PyObject.
 *
 * @param path a file, usually `*.pt` or `*.safetensors`
 * @param options how to read it
 * @throws CleanclipError `ERR_CHECKPOINT` when the file does not exist, is damaged, hostile or of another kind, or
 * changes while it is read; `ERR_OPTION` for an option that cannot be used
 */
export function load(path: string, options: LoadOptions = {}): unknown {
  const unread: Unread[] = [];
  const value = inFile(path, options, unread, (file) => readers[formatOf(file.bytes)](file));
  const tell =
    options.onUnread ??
    ((list) => process.emitWarning(warningOf(path, list), { type: 'CleanclipWarning', code: 'CLEANCLIP_UNREAD' }));
  if (unread.length > 0) tell(unread);
  return value;
}

/**
 * Reads the metadata of a safetensors file: strings by name. Returns undefined for a file of another format.
 * @throws CleanclipError as `torch.load`
 */
export function loadMetadata(path: string): Record<string, string> | undefined {
  return inFile(path, {}, [], (file) => (formatOf(file.bytes) === 'safetensors' ? readMetadata(file) : undefined));
}

function inFile<T>(path: string, options: LoadOptions, unread: Unread[], read: (file: CheckpointFile) => T): T {
  const { mmap, maxBytes } = checked(path, options);
  try {
    if (!existsSync(path))
      throw new CleanclipError(`There is no checkpoint at ${path}; check the path.`, 'ERR_CHECKPOINT');
    const { fd } = openRegular(path, { wanted: 'a checkpoint', maxBytes, code: 'ERR_CHECKPOINT' });
    try {
      const stats = fstatSync(fd);
      const bytes = new FileBytes(fd, stats.size);
      return read({ fd, stats, mmap, bytes, unread });
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw checkpointError(path, error);
  }
}

function checked(path: unknown, { mmap = false, maxBytes, onUnread }: LoadOptions): LoadOptions & { mmap: boolean } {
  if (typeof path !== 'string' || path.includes('\0'))
    throw optionError('torch.load takes the path of a file, a string without null characters.');
  if (typeof mmap !== 'boolean') throw optionError('torch.load takes mmap as true or false.');
  if (maxBytes !== undefined) checkInteger("torch.load's maxBytes", maxBytes, { least: 0 });
  if (onUnread !== undefined && typeof onUnread !== 'function')
    throw optionError('torch.load takes onUnread as a function.');
  return { mmap, maxBytes };
}

/** Makes the sentence that reports unread objects; it lists at most five classes. */
export function warningOf(path: string, unread: readonly Unread[]): string {
  const classes = new Map<string, string>();
  for (const { key, className } of unread) if (!classes.has(className)) classes.set(className, key);
  const listed = Array.from(classes, ([className, key]) =>
    key === '' ? className : `${className} at '${shown(key)}'`,
  );
  const rest = listed.length > maxListed ? ` and ${listed.length - maxListed} other classes` : '';
  return (
    `The checkpoint ${path} holds objects that are neither tensors nor plain values, which were left ` +
    `unread: ${listed.slice(0, maxListed).join(', ')}${rest}.`
  );
}

/** The most classes that a warning names. */
const maxListed = 5;

const readers: Readonly<Record<Format, (file: CheckpointFile) => unknown>> = {
  zip: readZip,
  legacy: readLegacy,
  safetensors: readSafetensors,
};

function checkpointError(path: string, error: unknown): CleanclipError {
  if (error instanceof CleanclipError && error.code !== 'ERR_TORCH') return error; // libtorch or memory is missing
  if (error instanceof Fault) return new CleanclipError(`The checkpoint ${path} ${error.message}.`, 'ERR_CHECKPOINT');
  const reason = error instanceof Error ? error.message : String(error);
  return new CleanclipError(`The checkpoint ${path} cannot be read: ${reason}`, 'ERR_CHECKPOINT', { cause: error });
}
