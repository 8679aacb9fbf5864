import { closeSync, fstatSync, openSync } from 'node:fs';
import { CleanclipError } from '../../errors';
import { Fault, shown } from './fault';
import { knownGlobals, storageOf } from './globals';
import { PickleReader } from './pickle_reader';
import { toPlain } from './plain';
import { MappedTensors } from './mapped_tensors';
import { checkSignature } from './signature';
import { ZipReader } from './zip_reader';

/**
 * Reads a `.pt` file that `torch.save` or {@link save} wrote (zip format), without executing anything in it: a pickle that names anything but tensors and
 * plain values is refused. The file is mapped, not read: tensors are copy-on-write views of it and take memory as they are touched.
 *
 * Dicts become objects, OrderedDicts {@link OrderedDict}, dicts with int keys {@link IntDict}, other dicts Maps; lists arrays, tuples {@link PyTuple}, None
 * null, ints numbers (bigints beyond 2^53), bytes Uint8Arrays, dtypes and devices their names. Tensors come to the CPU with their dtype, strides,
 * requires_grad and shared memory.
 *
 * @param path a file, usually `*.pt`
 * @throws CleanclipError `ERR_CHECKPOINT` when there is no such file or it is damaged, hostile or of another kind
 */
export function load(path: string): unknown {
  try {
    const fd = openSync(path, 'r');
    try {
      return readArchive(fd, path);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw checkpointError(path, error);
  }
}

function readArchive(fd: number, path: string): unknown {
  const stats = fstatSync(fd);
  if (!stats.isFile()) throw new Fault('is not a file');
  checkSignature(fd, stats.size);
  const zip = new ZipReader(fd, stats.size);
  const root = archiveRoot(zip);
  if (zip.has(`${root}byteorder`) && zip.read(`${root}byteorder`).toString('latin1') !== 'little') {
    throw new Fault('was written on a big-endian machine; load and save it again on a little-endian one');
  }
  const pickle = zip.read(`${root}data.pkl`);
  using tensors = new MappedTensors(path, stats, (key) => zip.locate(`${root}data/${key}`));
  const globals = knownGlobals(tensors, allowance(pickle.length));
  const world = {
    global: (name: string): unknown => {
      if (!globals.has(name)) {
        throw new Fault(`names ${shown(name)}; a checkpoint holds only tensors and plain values, so nothing of it was run or loaded. If you trust the file, save it again in Python without that object`);
      }
      return globals.get(name);
    },
    persistent: storageOf,
  };
  const value = toPlain(new PickleReader(pickle, world).read());
  tensors.release();
  return value;
}

/** The folder inside the zip that all records lie in, with its slash. */
function archiveRoot(zip: ZipReader): string {
  const pickleName = zip.names.find((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickleName === undefined) throw new Fault('is a zip file but no checkpoint: it has no record data.pkl');
  const root = pickleName.slice(0, -'data.pkl'.length);
  if (zip.has(`${root}constants.pkl`)) {
    throw new Fault('is a TorchScript archive; load it with torch.jit.load in Python and save its state_dict() with torch.save');
  }
  return root;
}

/** Well-formed pickles copy each of their bytes into at most one collection; repeating a copy by reference could otherwise fill any memory. */
function allowance(total: number): (amount: number) => void {
  let left = total;
  return (amount) => {
    left -= amount;
    if (left < 0) throw new Fault('makes more values than its size allows');
  };
}

function checkpointError(path: string, error: unknown): CleanclipError {
  if (error instanceof CleanclipError && error.code !== 'ERR_TORCH') return error; // libtorch or memory is missing
  if (error instanceof Fault) return new CleanclipError(`The checkpoint ${path} ${error.message}.`, 'ERR_CHECKPOINT');
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return new CleanclipError(`There is no checkpoint at ${path}; check the path.`, 'ERR_CHECKPOINT');
  const reason = error instanceof Error ? error.message : String(error);
  return new CleanclipError(`The checkpoint ${path} cannot be read: ${reason}`, 'ERR_CHECKPOINT', { cause: error });
}
