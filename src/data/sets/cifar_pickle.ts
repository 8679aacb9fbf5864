import { dataError } from '../../errors';
import { Fault } from '../../torch/serialization/fault';
import { Dict, KnownFunction, NumpyDtype, Stateful, tupleState } from '../../torch/serialization/handles';
import { PickleReader } from '../../torch/serialization/pickle/reader';

/** A numpy array on the stack of the pickle. */
class NumpyArray extends Stateful {
  /** @param state [version, shape, dtype, whether it is in column-major order, bytes] */
  constructor(public state: readonly unknown[] = []) {
    super('numpy.ndarray');
  }

  setState(state: unknown): void {
    this.state = tupleState(this, state);
  }
}

/** All globals that the pickle of a batch may name. */
const known = new Map<string, unknown>();
const define = (name: string, call: (args: readonly unknown[]) => unknown): void =>
  void known.set(name, new KnownFunction(name, call));
define('numpy.dtype', ([code]) => new NumpyDtype(String(code)));
define('numpy.ndarray', () => new NumpyArray());
for (const core of ['numpy.core', 'numpy._core']) {
  define(`${core}.multiarray._reconstruct`, () => new NumpyArray());
  define(
    `${core}.numeric._frombuffer`,
    ([bytes, dtype, shape, order]) => new NumpyArray([1, shape, dtype, order !== 'C', bytes]),
  );
}

/**
 * Reads a batch of CIFAR's Python version: a pickled dict of `data`, uint8 [N, imageBytes], and `labels` or
 * `fine_labels`. Nothing is executed.
 *
 * @returns the labels, and the byte offset of the first image in the file; the other images follow it
 * @throws CleanclipError ERR_DATA when the file contains anything else
 */
export function readCifarPickle(
  pickle: Buffer,
  file: string,
  imageBytes: number,
): { labels: number[]; offset: number } {
  const batch = unpickle(pickle, file);
  const data = batch.get('data');
  const [, shape, dtype, byColumns, bytes] = data instanceof NumpyArray ? data.state : [];
  const [count, width] = Array.isArray(shape) ? (shape as unknown[]) : [];
  const isPlain = dtype instanceof NumpyDtype && dtype.code === 'u1' && byColumns === false && bytes instanceof Buffer;
  if (!isPlain || width !== imageBytes || bytes.length !== Number(count) * imageBytes) {
    throw dataError(
      `${file}: expected "data", a numpy array of bytes [images, ${imageBytes}] as in CIFAR's own files.`,
    );
  }
  const labels = batch.get('labels') ?? batch.get('fine_labels');
  if (!Array.isArray(labels) || labels.length !== count) {
    throw dataError(
      `${file}: expected a label for each of its ${String(count)} images in a list "labels" or "fine_labels".`,
    );
  }
  return { labels: labels as number[], offset: bytes.byteOffset - pickle.byteOffset };
}

function unpickle(pickle: Buffer, file: string): Dict {
  const world = {
    views: true,
    global: (name: string): unknown => {
      if (known.has(name)) return known.get(name);
      throw new Fault('names something other than a numpy array, so nothing of it was run or loaded');
    },
    persistent: (): never => {
      throw new Fault('refers to something outside itself');
    },
  };
  try {
    const value = new PickleReader(pickle, world).read();
    if (value instanceof Dict) return value;
  } catch (error) {
    if (error instanceof Fault) throw dataError(`${file} ${error.message}.`, error);
    throw error;
  }
  throw dataError(`${file}: expected a pickled dict with "data" and its labels.`);
}
