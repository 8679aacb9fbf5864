import { closeSync, existsSync, fstatSync } from 'node:fs';

import { CleanclipError, optionError } from '../../errors';
import { openRegular } from '../../input_files';
import { Fault, shown } from './fault';
import { type CheckpointFile, FileBytes } from './file_bytes';
import { readLegacy } from './formats/legacy';
import { readMetadata, readSafetensors } from './formats/safetensors';
import { type Format, formatOf } from './formats/signature';
import type { Unread } from './pickle/plain';
import { readZip } from './zip/format';

/** How `torch.load` reads. */
export interface LoadOptions {
  /**
   * Map the file instead of reading it: opening takes no time, and memory is taken as tensors are touched. Until the
   * last of its tensors is freed nobody may write to the file: one that is overwritten in place changes tensors that
   * were not touched yet, and one that is truncated ends the process (SIGBUS). Replacing the file by another of its
   * name is safe. Default false, as in Python.
   */
  mmap?: boolean;
  /**
   * Gets the objects that were left unread, if there are any. Without it `process.emitWarning` tells of them.
   */
  onUnread?: (unread: readonly Unread[]) => void;
  /** refuse a file of more bytes than this; default none */
  maxBytes?: number;
}

/**
 * Reads a checkpoint, without executing anything in it. The format is told by the content: what `torch.save` or {@link
 * save} wrote (zip, or the older format from before torch 1.6), a TorchScript archive, of which the state dict is
 * taken, or safetensors. Each record of the file is read into a storage of its own, on all threads; tensors that share
 * one in the file share it here.
 *
 * An object of any other class becomes a {@link PyObject}, an inert record of what its pickle says, and {@link
 * LoadOptions.onUnread} is told; so do sparse, quantized, meta and nested tensors and dtypes that libtorch lacks here.
 * Numpy arrays become tensors, numpy scalars numbers; Counters and defaultdicts are dicts, deques lists, storages
 * tensors of one dimension; subclasses of Tensor are tensors without their attributes. A file that hands a tensor it
 * uses to a function that is not known is refused, for the function might change it.
 *
 * Dicts become objects, OrderedDicts {@link OrderedDict}, dicts with int keys {@link IntDict}, other dicts Maps; lists
 * arrays, tuples {@link PyTuple}, None null, ints numbers (bigints beyond 2^53), bytes Uint8Arrays, dtypes and devices
 * their names. Tensors come to the CPU with their dtype, strides, storage offset, requires_grad and shared memory.
 *
 * @param path a file, usually `*.pt` or `*.safetensors`
 * @throws CleanclipError `ERR_CHECKPOINT` when there is no such file or it is damaged, hostile or of another kind, or
 * is cut or changed while it is read; `ERR_OPTION` for an option that cannot be used
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
 * The metadata of a safetensors file: texts by their names; undefined for a file of another format.
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
    throw optionError('torch.load takes the path of a file, a text without null characters.');
  if (typeof mmap !== 'boolean') throw optionError('torch.load takes mmap as true or false.');
  if (maxBytes !== undefined && !(Number.isSafeInteger(maxBytes) && maxBytes >= 0))
    throw optionError('torch.load takes maxBytes as a whole number from 0.');
  if (onUnread !== undefined && typeof onUnread !== 'function')
    throw optionError('torch.load takes onUnread as a function.');
  return { mmap, maxBytes };
}

/** A sentence about what was left unread, of which it lists a few. */
export function warningOf(path: string, unread: readonly Unread[]): string {
  const classes = new Map<string, string>();
  for (const { key, className } of unread) if (!classes.has(className)) classes.set(className, key);
  const listed = Array.from(classes, ([className, key]) =>
    key === '' ? className : `${className} at '${shown(key)}'`,
  );
  const rest = listed.length > maxListed ? ` and ${listed.length - maxListed} other classes` : '';
  return (
    `The checkpoint ${path} holds objects that are no tensors or plain values, which were left ` +
    `unread: ${listed.slice(0, maxListed).join(', ')}${rest}.`
  );
}

/** How many classes a warning names. */
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
