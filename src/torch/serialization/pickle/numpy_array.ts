import { Fault } from '../fault';
import { NumpyDtype, Stateful, tupleState } from '../handles';
import type { ArrayRecord, TensorMaker } from '../tensor_record';
import { Inert } from './inert';

/** The dtypes that numpy shares with torch, by code of numpy. */
const dtypeOf: Readonly<Record<string, string>> = {
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
  i1: 'int8',
  i2: 'int16',
  i4: 'int32',
  i8: 'int64',
  u1: 'uint8',
  u2: 'uint16',
  u4: 'uint32',
  u8: 'uint64',
  b1: 'bool',
  c8: 'complex64',
  c16: 'complex128',
};

/** The most dimensions that torch itself handles. */
const maxDimensions = 64;

/**
 * A numpy array, whose state holds shape, dtype and elements. It becomes a tensor where torch has its dtype, else an
 * {@link Inert}.
 */
export class NumpyArray extends Stateful {
  value: unknown = new Inert('numpy.ndarray', []);

  constructor(private readonly tensors: TensorMaker) {
    super('numpy.ndarray');
  }

  /** Makes the tensor that the array's state describes. */
  setState(state: unknown): void {
    const [, shape, dtype, columnMajor, content] = tupleState(this, state);
    this.value = arrayOf(this.tensors, { shape, dtype, columnMajor: columnMajor === true, content });
  }
}

/** An array as numpy describes it. */
interface Described {
  readonly shape: unknown;
  readonly dtype: unknown;
  readonly columnMajor: boolean;
  readonly content: unknown;
}

/**
 * Makes a tensor of an array, or an {@link Inert} when torch lacks the dtype.
 * @throws Fault when shape and bytes do not match
 */
export function arrayOf(tensors: TensorMaker, { shape, dtype, columnMajor, content }: Described): unknown {
  const code = dtype instanceof NumpyDtype ? dtype.code : '';
  const name = Object.hasOwn(dtypeOf, code) ? dtypeOf[code] : undefined;
  if (name === undefined || !(content instanceof Uint8Array)) return new Inert('numpy.ndarray', [shape, code]);
  if (!isShape(shape)) throw new Fault('is damaged: a numpy array has a shape that is not a list of sizes');
  const size = Number(code.slice(1));
  const count = shape.reduce((product, length) => product * length, 1);
  if (count * size !== content.length) {
    throw new Fault(`is damaged: a numpy array of shape [${shape}] and ${code} has ${content.length} bytes`);
  }
  const bytes = (dtype as NumpyDtype).littleEndian
    ? content
    : reversed(content, code.startsWith('c') ? size / 2 : size);
  return tensors.fromArray({
    dtype: name,
    shape,
    stride: strides(shape, columnMajor),
    bytes: name === 'bool' ? bytes.map((byte) => +(byte !== 0)) : bytes,
  } satisfies ArrayRecord);
}

const isShape = (value: unknown): value is number[] =>
  Array.isArray(value) &&
  value.length <= maxDimensions &&
  value.every((length) => Number.isSafeInteger(length) && (length as number) >= 0);

function strides(shape: readonly number[], columnMajor: boolean): number[] {
  const result = shape.map(() => 1);
  const order = Array.from(shape.keys());
  if (!columnMajor) order.reverse();
  let step = 1;
  for (const i of order) {
    result[i] = step;
    step *= Math.max(1, shape[i]);
  }
  return Array.from(result);
}

/** Makes a copy in which the bytes of each unit are reversed. */
function reversed(bytes: Uint8Array, unit: number): Uint8Array {
  const copy = new Uint8Array(bytes);
  for (let at = 0; at < copy.length; at += unit) copy.subarray(at, at + unit).reverse();
  return copy;
}
