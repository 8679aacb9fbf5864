import { CleanclipError } from '../errors';
import { addon } from './addon';
import { type DType, dtypeOf } from './dtype';
import type { Generator } from './generator';
import type { Nested } from './nested';
import { invokeByName, type Tensor, wrap } from './tensor';

/** Options of every factory. */
export interface TensorOptions {
  /** default 'float32' */
  dtype?: DType;
  /** default 'cpu' */
  device?: string;
  /** record operations on it for backward; default false */
  requiresGrad?: boolean;
  /** of a CPU tensor: in memory that a GPU copies from and to without stopping the CPU; needs a GPU; default false */
  pinMemory?: boolean;
}

/** Options of the random factories. */
export interface RandomOptions extends TensorOptions {
  /** default: the process-wide one that `manualSeed` seeds */
  generator?: Generator;
}

/**
 * A tensor with a copy of the data (torch.tensor).
 * @param data a number, bigint or boolean, nested arrays of them, or a typed array
 * @param options.dtype default: float32 for numbers, int64 for bigints, bool for booleans, its own for a typed array
 * @param options.shape the shape of a typed array; default one dimension
 */
export function tensor(
  data: Nested | readonly Nested[] | ArrayBufferView,
  options: TensorOptions & { shape?: readonly number[] } = {},
): Tensor {
  const { shape: wanted } = checkedOptions(options) as { shape?: readonly number[] };
  const { flat, shape, dtype } = ArrayBuffer.isView(data) ? typedData(data) : flatten(data as Nested, options.dtype);
  const made = wrap(addon().fromBytes(flat, dtype, wanted === undefined ? shape : checkedShape(wanted)));
  return placed(made, options);
}

/** A typed array with its shape and dtype; a copy where several threads share its memory. */
function typedData(data: ArrayBufferView): { flat: ArrayBufferView; shape: number[]; dtype: DType } {
  const dtype = dtypeOf(data);
  const shared = Object.prototype.toString.call(data.buffer) === '[object SharedArrayBuffer]';
  const own = shared ? (data as Uint8Array).slice() : data;
  // Node-API need not know Float16Array
  const flat = dtype === 'float16' ? new Uint8Array(own.buffer, own.byteOffset, own.byteLength) : own;
  return { flat, shape: [(data as Uint8Array).length], dtype };
}

function checkedShape(shape: readonly number[]): number[] {
  const sizes = Array.isArray(shape) || ArrayBuffer.isView(shape) ? Array.from(shape) : undefined;
  if (sizes?.every((size) => Number.isSafeInteger(size) && size >= 0) === true) return sizes;
  throw new CleanclipError('`shape` is an array of whole numbers from 0.', 'ERR_TORCH');
}

function checkedOptions<T>(options: T): T {
  if (typeof options === 'object' && options !== null) return options;
  throw new CleanclipError(
    `The options of a tensor are an object such as { dtype: 'int64' }, ` +
      `but ${options === null ? 'null' : typeof options} came.`,
    'ERR_TORCH',
  );
}

function placed(made: Tensor, { dtype = made.dtype, device = 'cpu', requiresGrad = false }: TensorOptions): Tensor {
  const result = dtype === made.dtype && device === 'cpu' ? made : made.to({ dtype, device });
  if (result !== made) made.dispose();
  if (requiresGrad) result.requiresGrad = true;
  return result;
}

/** libtorch's own limit of dimensions; it also ends an array that contains itself. */
const maxDimensions = 64;

function flatten(data: Nested, wanted: DType | undefined): { flat: ArrayBufferView; shape: number[]; dtype: DType } {
  const shape: number[] = [];
  for (let level: Nested = data; Array.isArray(level) && shape.length < maxDimensions; level = level[0]) {
    shape.push(level.length);
    if (level.length === 0) break;
  }
  const items: (number | bigint | boolean)[] = [];
  const visit = (value: Nested, depth: number): void => {
    if (!Array.isArray(value)) {
      if (depth !== shape.length || !['number', 'bigint', 'boolean'].includes(typeof value)) throw ragged(value, depth);
      items.push(value);
    } else {
      if (value.length !== shape[depth]) throw ragged(value, depth);
      for (const item of value) visit(item, depth + 1);
    }
  };
  visit(data, 0);
  if (items.some((item) => typeof item === 'bigint')) return bigintData(items, shape, wanted);
  if (items.length > 0 && items.every((item) => typeof item === 'boolean')) {
    return { flat: Uint8Array.from(items, Number), shape, dtype: 'bool' };
  }
  return wanted === undefined || wanted === 'float32'
    ? { flat: Float32Array.from(items, Number), shape, dtype: 'float32' }
    : { flat: Float64Array.from(items, Number), shape, dtype: 'float64' };
}

function bigintData(
  items: (number | bigint | boolean)[],
  shape: number[],
  wanted: DType | undefined,
): ReturnType<typeof flatten> {
  const dtype = wanted === 'uint64' ? 'uint64' : 'int64';
  const fits = dtype === 'uint64' ? BigInt.asUintN : BigInt.asIntN;
  const whole = items.map((item) => {
    const value = typeof item === 'number' && !Number.isInteger(item) ? undefined : BigInt(item);
    if (value !== undefined && fits(64, value) === value) return value;
    throw new CleanclipError(`Tensor data with bigints must fit ${dtype}, but ${String(item)} does not.`, 'ERR_TORCH');
  });
  return { flat: dtype === 'uint64' ? BigUint64Array.from(whole) : BigInt64Array.from(whole), shape, dtype };
}

function ragged(value: unknown, depth: number): CleanclipError {
  const what = Array.isArray(value) ? `a list of ${value.length}` : value === null ? 'null' : typeof value;
  return new CleanclipError(
    `Tensor data must be numbers in nested arrays of equal lengths, at most ${maxDimensions} deep, but at ` +
      `depth ${depth} there is ${what}.`,
    'ERR_TORCH',
  );
}

type Keywords = Record<string, unknown>;

function make(name: string, positional: unknown[], options: RandomOptions): Tensor {
  const { requiresGrad, pinMemory = false, ...keywords } = checkedOptions(options);
  const pinned = pinMemory ? { pin_memory: true } : {};
  const made = invokeByName(`aten::${name}`, [
    ...positional,
    { dtype: 'float32', ...keywords, ...pinned } satisfies Keywords,
  ]) as Tensor;
  if (requiresGrad === true) made.requiresGrad = true;
  return made;
}

/** A tensor of zeros. */
export const zeros = (shape: readonly number[], options: TensorOptions = {}): Tensor => make('zeros', [shape], options);
/** A tensor of ones. */
export const ones = (shape: readonly number[], options: TensorOptions = {}): Tensor => make('ones', [shape], options);
/** A tensor whose elements are not set. */
export const empty = (shape: readonly number[], options: TensorOptions = {}): Tensor => make('empty', [shape], options);
/** A tensor filled with one value. */
export const full = (shape: readonly number[], value: number | boolean, options: TensorOptions = {}): Tensor =>
  make('full', [shape, value], typeof value === 'boolean' ? { dtype: 'bool', ...options } : options);
/** The identity matrix [n, n]. */
export const eye = (n: number, options: TensorOptions = {}): Tensor => make('eye', [n], options);
/** `steps` numbers from `start` to `end`, both included. */
export const linspace = (start: number, end: number, steps: number, options: TensorOptions = {}): Tensor =>
  make('linspace', [start, end, steps], options);
/** Uniform numbers in [0, 1). */
export const rand = (shape: readonly number[], options: RandomOptions = {}): Tensor => make('rand', [shape], options);
/** Standard normal numbers. */
export const randn = (shape: readonly number[], options: RandomOptions = {}): Tensor => make('randn', [shape], options);
/** Integers in [low, high), int64. */
export const randint = (low: number, high: number, shape: readonly number[], options: RandomOptions = {}): Tensor =>
  make('randint', [low, high, shape], { dtype: 'int64', ...options });
/** The integers 0 … n-1 in random order, int64. */
export const randperm = (n: number, options: RandomOptions = {}): Tensor =>
  make('randperm', [n], { dtype: 'int64', ...options });

/** Numbers from `start` (default 0) to `end`, not included; int64 when all are integers, else float32. */
export function arange(end: number, options?: TensorOptions): Tensor;
export function arange(start: number, end: number, options?: TensorOptions): Tensor;
export function arange(start: number, end: number, step: number, options?: TensorOptions): Tensor;
export function arange(...given: (number | TensorOptions | undefined)[]): Tensor {
  const range = given.filter((value) => typeof value === 'number');
  const options = given.find((value) => typeof value === 'object') ?? {};
  return make('arange', range, { dtype: range.every(Number.isInteger) ? 'int64' : 'float32', ...options });
}
