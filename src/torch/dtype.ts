import { CleanclipError } from '../errors';

/** Names a dtype as PyTorch does, without `torch.`. */
export type DType =
  | 'float32'
  | 'float64'
  | 'float16'
  | 'bfloat16'
  | 'int64'
  | 'int32'
  | 'int16'
  | 'int8'
  | 'uint8'
  | 'bool'
  | 'complex64'
  | 'complex128'
  | 'complex32'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'float8_e4m3fn'
  | 'float8_e5m2'
  | 'qint8'
  | 'quint8'
  | 'qint32';

/** A typed array that `Tensor.data()` returns. For float16 it is a Float16Array where Node has it. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

type TypedArrayConstructor = new (buffer: ArrayBuffer) => TypedArray;

const arrays: Partial<Record<DType, TypedArrayConstructor>> = {
  float32: Float32Array,
  float64: Float64Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  complex64: Float32Array,
  complex128: Float64Array,
};

/**
 * Returns the typed array with the elements of a dtype. It is undefined where JavaScript has none: bfloat16, float8,
 * complex32, quantised dtypes, and float16 in older versions of Node.
 */
export const arrayOf = (dtype: DType): TypedArrayConstructor | undefined =>
  dtype === 'float16' ? (globalThis as { Float16Array?: TypedArrayConstructor }).Float16Array : arrays[dtype];

const dtypesByTag: Record<string, DType> = {
  Float16Array: 'float16',
  Float32Array: 'float32',
  Float64Array: 'float64',
  BigInt64Array: 'int64',
  BigUint64Array: 'uint64',
  Int32Array: 'int32',
  Uint32Array: 'uint32',
  Int16Array: 'int16',
  Uint16Array: 'uint16',
  Int8Array: 'int8',
  Uint8Array: 'uint8',
  Uint8ClampedArray: 'uint8',
};

/**
 * Returns the dtype with the elements of a typed array; a Buffer counts as a Uint8Array.
 * @throws CleanclipError `ERR_TORCH` for a DataView
 */
export function dtypeOf(data: ArrayBufferView): DType {
  const tag = (data as unknown as { [Symbol.toStringTag]: string })[Symbol.toStringTag];
  const dtype = dtypesByTag[tag];
  if (dtype === undefined) {
    throw new CleanclipError(`Tensor data must be numbers or a typed array, but came as ${tag}.`, 'ERR_TORCH');
  }
  return dtype;
}
