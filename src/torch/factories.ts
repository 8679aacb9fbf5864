import { CleanclipError } from '../errors';
import { show } from '../show';
import { addon } from './addon';
import { type DType, dtypeOf } from './dtype';
import type { Generator } from './generator';
import type { Nested } from './nested';
import { invokeByName, type Tensor, wrap } from './tensor';

/** Options of every factory of tensors. */
export interface TensorOptions {
  /** default 'float32', unless the factory says otherwise */
  dtype?: DType;
  /** 'cpu' (default), 'cuda', 'cuda:<index>' or 'meta' */
  device?: string;
  /** record operations on the tensor for backward; default false */
  requiresGrad?: boolean;
  /** use CPU memory that a GPU copies while the CPU goes on; needs a GPU; default false */
  pinMemory?: boolean;
}

/** Options of the random factories. */
export interface RandomOptions extends TensorOptions {
  /** default: the generator of the whole process, which `manualSeed` seeds */
  generator?: Generator;
}

/**
 * Makes a tensor from a copy of the data (torch.tensor).
 * @param data a number, bigint or boolean, nested arrays of them with equal lengths, or a typed array
 * @param options.dtype default: int64 with a bigint, bool for booleans alone, else float32; a typed array's own
 * @param options.shape the shape, for as many elements; default: that of the arrays, one dimension for a typed array
 * @throws CleanclipError `ERR_TORCH` for other data, arrays of unequal lengths, and a shape or options that do not fit
 * @example const matrix = torch.tensor([[1, 2], [3, 4]], { dtype: 'int64' }); // int64 [2, 2]
 */
export function tensor(
  data: Nested | readonly Nested[] | ArrayBufferView,
  options: TensorOptions & { shape?: readonly number[] } = {},
): Tensor {
  const { shape: wanted } = checkedOptions(options) as { shape?: readonly number[] };
  const { flat, shape, dtype } = ArrayBuffer.isView(data) ? typedData(data) : flatten(data as Nested, options.dtype);
  const made = wrap(addon().fromBytes(flat, dtype, wanted === undefined ? shape : checkedShape(wanted)));
  if (options.pinMemory !== true) return placed(made, options);
  using pageable = placed(made, { ...options, requiresGrad: false });
  const pinned = invokeByName('aten::pin_memory', [pageable]) as Tensor;
  if (options.requiresGrad === true) pinned.requiresGrad = true;
  return pinned;
}

/** Returns a typed array with its shape and dtype; it is copied when several threads share its memory. */
function typedData(data: ArrayBufferView): { flat: ArrayBufferView; shape: number[]; dtype: DType } {
  const dtype = dtypeOf(data);
  const shared = Object.prototype.toString.call(data.buffer) === '[object SharedArrayBuffer]';
  const own = shared ? (data as Uint8Array).slice() : data;
  // Node-API may not know Float16Array.
  const flat = dtype === 'float16' ? new Uint8Array(own.buffer, own.byteOffset, own.byteLength) : own;
  return { flat, shape: [(data as Uint8Array).length], dtype };
}

function checkedShape(shape: readonly number[]): number[] {
  const sizes = Array.isArray(shape) || ArrayBuffer.isView(shape) ? Array.from(shape) : undefined;
  if (sizes?.every((size) => Number.isSafeInteger(size) && size >= 0) === true) return sizes;
  throw new CleanclipError(`shape must be an array of integers of at least 0, but is ${show(shape)}.`, 'ERR_TORCH');
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

/** libtorch's limit of dimensions; it also ends an array that contains itself. */
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

/**
 * Makes a tensor of zeros (torch.zeros). As every factory, it throws CleanclipError `ERR_TORCH` for a size below 0, an
 * unknown dtype, and a device that is missing.
 */
export const zeros = (shape: readonly number[], options: TensorOptions = {}): Tensor => make('zeros', [shape], options);
/** Makes a tensor of ones (torch.ones). */
export const ones = (shape: readonly number[], options: TensorOptions = {}): Tensor => make('ones', [shape], options);
/** Makes a tensor whose elements may have any value (torch.empty). */
export const empty = (shape: readonly number[], options: TensorOptions = {}): Tensor => make('empty', [shape], options);
/** Makes a tensor filled with one value (torch.full); its dtype is bool by default for a boolean, else float32. */
export const full = (shape: readonly number[], value: number | boolean, options: TensorOptions = {}): Tensor =>
  make('full', [shape, value], typeof value === 'boolean' ? { dtype: 'bool', ...options } : options);
/** Makes the identity matrix [n, n] (torch.eye). */
export const eye = (n: number, options: TensorOptions = {}): Tensor => make('eye', [n], options);
/** Makes `steps` evenly spaced numbers from `start` to `end`, both included: [steps] (torch.linspace). */
export const linspace = (start: number, end: number, steps: number, options: TensorOptions = {}): Tensor =>
  make('linspace', [start, end, steps], options);
/** Draws uniform numbers from [0, 1) (torch.rand). */
export const rand = (shape: readonly number[], options: RandomOptions = {}): Tensor => make('rand', [shape], options);
/** Draws standard normal numbers (torch.randn). */
export const randn = (shape: readonly number[], options: RandomOptions = {}): Tensor => make('randn', [shape], options);
/** Draws uniform integers from [low, high), by default int64 (torch.randint). */
export const randint = (low: number, high: number, shape: readonly number[], options: RandomOptions = {}): Tensor =>
  make('randint', [low, high, shape], { dtype: 'int64', ...options });
/** Draws a random order of the integers 0 … n - 1: [n], by default int64 (torch.randperm). */
export const randperm = (n: number, options: RandomOptions = {}): Tensor =>
  make('randperm', [n], { dtype: 'int64', ...options });

/**
 * Makes the numbers 0, 1, … below `end` (torch.arange).
 * @param options.dtype default: int64 when `end` is an integer, else float32
 * @returns [⌈end⌉]
 */
export function arange(end: number, options?: TensorOptions): Tensor;
/**
 * Makes the numbers `start`, `start` + 1, … below `end`.
 * @param options.dtype default: int64 when both are integers, else float32
 * @returns [⌈end - start⌉]
 */
export function arange(start: number, end: number, options?: TensorOptions): Tensor;
/**
 * Makes the numbers `start`, `start` + `step`, … before `end`.
 * @param options.dtype default: int64 when all three are integers, else float32
 * @returns [⌈(end - start) / step⌉]
 * @throws CleanclipError `ERR_TORCH` when `step` is 0 or leads away from `end`
 */
export function arange(start: number, end: number, step: number, options?: TensorOptions): Tensor;
export function arange(...given: (number | TensorOptions | undefined)[]): Tensor {
  const range = given.filter((value) => typeof value === 'number');
  const options = given.find((value) => typeof value === 'object') ?? {};
  return make('arange', range, { dtype: range.every(Number.isInteger) ? 'int64' : 'float32', ...options });
}
