import { closeSync, fstatSync, openSync } from 'node:fs';
import { CleanclipError } from '../../errors';
import { Fault } from './fault';
import { FileBytes, type CheckpointFile } from './file_bytes';
import { readLegacy } from './legacy_format';
import { readSafetensors } from './safetensors';
import { formatOf, type Format } from './signature';
import { readZip } from './zip_format';

/**
 * Reads a checkpoint, without executing anything in it: a pickle that names anything but tensors and plain values is refused. The format is told by the
 * content: what `torch.save` or {@link save} wrote (zip, or the older format from before torch 1.6), a TorchScript archive, of which the state dict is
 * taken, or safetensors. The file is mapped, not read: tensors are copy-on-write views of it and take memory as they are touched.
 *
 * Dicts become objects, OrderedDicts {@link OrderedDict}, dicts with int keys {@link IntDict}, other dicts Maps; lists arrays, tuples {@link PyTuple}, None
 * null, ints numbers (bigints beyond 2^53), bytes Uint8Arrays, dtypes and devices their names. Tensors come to the CPU with their dtype, strides,
 * requires_grad and shared memory.
 *
 * @param path a file, usually `*.pt` or `*.safetensors`
 * @throws CleanclipError `ERR_CHECKPOINT` when there is no such file or it is damaged, hostile or of another kind
 */
export function load(path: string): unknown {
  try {
    const fd = openSync(path, 'r');
    try {
      const stats = fstatSync(fd);
      if (!stats.isFile()) throw new Fault('is not a file');
      const bytes = new FileBytes(fd, stats.size);
      return readers[formatOf(bytes)]({ path, stats, bytes });
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw checkpointError(path, error);
  }
}

const readers: Readonly<Record<Format, (file: CheckpointFile) => unknown>> = { zip: readZip, legacy: readLegacy, safetensors: readSafetensors };

function checkpointError(path: string, error: unknown): CleanclipError {
  if (error instanceof CleanclipError && error.code !== 'ERR_TORCH') return error; // libtorch or memory is missing
  if (error instanceof Fault) return new CleanclipError(`The checkpoint ${path} ${error.message}.`, 'ERR_CHECKPOINT');
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return new CleanclipError(`There is no checkpoint at ${path}; check the path.`, 'ERR_CHECKPOINT');
  const reason = error instanceof Error ? error.message : String(error);
  return new CleanclipError(`The checkpoint ${path} cannot be read: ${reason}`, 'ERR_CHECKPOINT', { cause: error });
}
