import { inspect } from 'node:util';

import { CleanclipError } from '../errors';
import { type Addon, addon, onAddonLoad } from './addon';
import { kindOf } from './argument_checks';
import { arrayOf, type DType, type TypedArray } from './dtype';
import { Generator } from './generator';
import type { Handle } from './handle';
import { elementsOf } from './list_arguments';
import { moveTarget } from './move_target';
import { type Nested, nested } from './nested';
import { missingOperators, requireOperatorId } from './operator_ids';
import type { TensorMethods } from './operators.gen';
import { textOf } from './tensor_text';
import { scope, track, untrack } from './tracking';

/* eslint-disable @typescript-eslint/no-unsafe-declaration-merging -- the class and its methods are one type */
/** Every operator whose first argument is a tensor is also a method; {@link installMethod} adds it to the prototype. */
export interface Tensor extends TensorMethods {}

/**
 * Holds a tensor of libtorch (torch.Tensor). Its memory is freed by `dispose()`, at the end of the `torch.tidy` in
 * which it was made, or when JavaScript collects the object. Its members throw CleanclipError: `ERR_TORCH` for what
 * libtorch refuses and once the tensor is freed, `ERR_TORCH_OOM` when memory is short.
 */
export class Tensor {
  /* eslint-enable @typescript-eslint/no-unsafe-declaration-merging */
  /** @internal bytes that V8 was told of; undefined while a scope owns the tensor */
  trackedBytes: number | undefined;

  /** @internal its number in the addon's table */
  readonly handle: Handle;

  /** Only the library calls this; make a tensor with a factory such as `torch.tensor`. */
  constructor(handle: number) {
    this.handle = handle;
  }

  /** The size of each dimension; [] for a tensor without dimensions. */
  get shape(): number[] {
    return addon().shape(this.handle);
  }

  /** The stride of each dimension, in elements. */
  get strides(): number[] {
    return addon().strides(this.handle);
  }

  /** 'float32', 'int64', … */
  get dtype(): DType {
    return addon().dtype(this.handle) as DType;
  }

  /** 'cpu', 'cuda:0', … or 'meta'. */
  get device(): string {
    return addon().device(this.handle);
  }

  /** @internal Two tensors have the same key exactly when they share memory. */
  get storageKey(): bigint {
    return addon().storageKey(this.handle);
  }

  /** The gradient that `backward` has accumulated, or null. One that is set must have this shape, dtype and device. */
  get grad(): Tensor | null {
    const handle = addon().grad(this.handle);
    return handle === null ? null : wrap(handle);
  }

  set grad(gradient: Tensor | null) {
    if (gradient !== null) requireTensor(gradient, 'grad');
    addon().setGrad(this.handle, gradient === null ? null : gradient.handle);
  }

  /** Whether operations on this tensor are recorded for `backward`; only those of floats and complex numbers can be. */
  get requiresGrad(): boolean {
    return addon().requiresGrad(this.handle);
  }

  set requiresGrad(value: boolean) {
    addon().setRequiresGrad(this.handle, value);
  }

  /** Whether this tensor is not the result of a recorded operation (torch.Tensor.is_leaf). */
  get isLeaf(): boolean {
    return addon().isLeaf(this.handle);
  }

  /**
   * Adds the gradient of this tensor to the `grad` of every leaf it depends on (torch.Tensor.backward).
   * @param options.gradient the gradient of this tensor itself, of its shape; needed unless it has one element
   * @param options.retainGraph keep the recorded graph for another backward; default `createGraph`
   * @param options.createGraph record the backward too, for higher derivatives; default false
   * @throws CleanclipError `ERR_TORCH` when nothing was recorded, or the graph was freed by an earlier backward
   */
  backward(options: { gradient?: Tensor; retainGraph?: boolean; createGraph?: boolean } = {}): void {
    if (typeof options !== 'object' || options === null || options instanceof Tensor)
      throw new CleanclipError('backward takes an object of options, such as { gradient }.', 'ERR_TORCH');
    const { gradient, createGraph = false, retainGraph = createGraph } = options;
    if (gradient !== undefined) requireTensor(gradient, "backward's `gradient`");
    addon().backward(this.handle, gradient?.handle ?? null, retainGraph, createGraph);
  }

  /**
   * Copies this tensor to another dtype, another device, or both (torch.Tensor.to).
   * @param target.nonBlocking do not wait for a GPU's copy, if the memory on the CPU is pinned; default false
   * @returns a tensor of the same shape, which shares this one's memory when nothing changes
   * @throws CleanclipError `ERR_TORCH` for an unknown dtype or device, or a device that is missing
   */
  to(
    target:
      DType | 'cpu' | 'meta' | 'cuda' | `cuda:${number}` | { dtype?: DType; device?: string; nonBlocking?: boolean },
  ): Tensor {
    const { dtype = this.dtype, device = this.device, nonBlocking = false } = moveTarget(target);
    return invokeByName('aten::to', [this, device, dtype, nonBlocking]) as Tensor;
  }

  /**
   * Returns the only element: a number, a bigint beyond 2^53, a boolean, or `{ re, im }`. Waits for a GPU.
   * @throws CleanclipError `ERR_TORCH` unless the tensor has one element
   */
  item(): number {
    return invokeByName('aten::item', [this]) as number;
  }

  /**
   * Copies the elements to a typed array, in row-major order. bool becomes 0 and 1; complex64 and complex128 become
   * pairs. bfloat16 and float8 become a Float32Array, as float16 does where Node has no Float16Array. Waits for a GPU.
   * @throws CleanclipError `ERR_TORCH` for a sparse, quantised or meta tensor
   */
  data(): TypedArray {
    const Elements = arrayOf(this.dtype);
    if (Elements !== undefined) return new Elements(addon().copyBytes(this.handle));
    using wide = this.to('float32');
    return wide.data();
  }

  /** Views the bytes of a contiguous CPU tensor without a copy, so writes reach the tensor; else throws `ERR_TORCH`. */
  bytes(): Uint8Array {
    return new Uint8Array(addon().viewBytes(this.handle));
  }

  /**
   * Copies the elements to nested arrays of this shape (torch.Tensor.tolist). An int64 or uint64 becomes a number where
   * that is exact, else a bigint; a complex number becomes `[re, im]`.
   */
  toArray(): Nested {
    return nested(this.data(), this.dtype, this.shape);
  }

  /** Frees this tensor's memory now, unless other tensors share it. A second call does nothing. */
  dispose(): void {
    untrack(this);
    addon().release(this.handle);
  }

  /** Does as {@link dispose} at the end of the block of a `using` declaration. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Returns what Node prints: the same as `toString()`. */
  [inspect.custom](): string {
    return this.toString();
  }

  /** Returns the dtype, shape and device, and the elements when they are at most 100. */
  toString(): string {
    return textOf(this);
  }
}

/** @internal Returns the tensor of a new handle. */
export function wrap(handle: Handle): Tensor {
  const tensor = new Tensor(handle);
  if (scope.depth === 0) track(tensor);
  return tensor;
}

const powers = Float64Array.from({ length: 60 }, (_, i) => 2 ** i);

/** @internal Calls an operator by id: positional arguments, then at most one plain object of keyword arguments. */
export function invoke(id: number, given: readonly unknown[]): unknown {
  const count = given.length;
  const values = new Array<unknown>(count);
  let mask = 0;
  for (let i = 0; i < count; i++) {
    const value = given[i];
    if (typeof value !== 'object' || value === null) {
      values[i] = value;
    } else if (value instanceof Tensor) {
      values[i] = value.handle;
      mask += powers[i];
    } else if (
      i === count - 1 &&
      !Array.isArray(value) &&
      !ArrayBuffer.isView(value) &&
      !(value instanceof Generator)
    ) {
      return invokeWithKeywords(id, given.slice(0, i), value as Record<string, unknown>);
    } else if (put(values, i, value)) {
      mask += powers[i];
    }
  }
  return unwrap(callNative(id, mask, values), given);
}

// V8 takes as long to spread an array as for the rest of the call, and most operators take few arguments.
function callNative(id: number, mask: number, values: readonly unknown[]): unknown {
  const { call } = native as Addon;
  switch (values.length) {
    case 1:
      return call(id, mask, values[0]);
    case 2:
      return call(id, mask, values[0], values[1]);
    case 3:
      return call(id, mask, values[0], values[1], values[2]);
    default:
      return call(id, mask, ...values);
  }
}

function invokeWithKeywords(id: number, positional: unknown[], keywords: Record<string, unknown>): unknown {
  const names = Object.keys(keywords).filter((name) => keywords[name] !== undefined);
  const given = [...positional, ...names.map((name) => keywords[name])];
  const values = new Array<unknown>(given.length);
  let mask = 0;
  given.forEach((value, i) => {
    if (put(values, i, value)) mask += powers[i];
  });
  return unwrap((native as Addon).callWithKeywords(id, mask, names, ...values), given);
}

/** Sets `values[i]` to the form in which the addon takes an argument; returns whether that holds tensor handles. */
function put(values: unknown[], i: number, value: unknown): boolean {
  if (value instanceof Tensor) {
    values[i] = value.handle;
    return true;
  }
  if (value instanceof Generator) {
    values[i] = value.native;
    return false;
  }
  // The addon refuses longer lists. A search for tensors in a sparse array of 2^31 elements would take minutes.
  if (Array.isArray(value) && value.length <= 2 ** 20 && value.some((item) => item instanceof Tensor)) {
    if (!value.every((item) => item instanceof Tensor || item === null || item === undefined)) {
      throw new CleanclipError(
        'A list of tensors holds tensors and null only, but a number or string is among them.',
        'ERR_TORCH',
      );
    }
    values[i] = (value as (Tensor | null)[]).map((item) => item?.handle ?? null);
    return true;
  }
  values[i] = ArrayBuffer.isView(value) ? elementsOf(value) : value;
  return false;
}

// A number is a new handle, or -1 - i when argument i was changed in place. Any other result comes in an array of one.
function unwrap(result: unknown, given: readonly unknown[]): unknown {
  if (typeof result !== 'number') return (result as [unknown])[0];
  return result >= 0 ? wrap(result) : given[-1 - result];
}

/** @internal Calls an operator by its qualified name, such as 'aten::add'. */
export function invokeByName(name: string, given: readonly unknown[]): unknown {
  return invoke(requireOperatorId(name), given);
}

/** @internal Throws `ERR_TORCH` unless `value` is a tensor. `name` is the function or property that takes it. */
export function requireTensor(value: unknown, name: string): void {
  if (!(value instanceof Tensor))
    throw new CleanclipError(`${name} takes a Tensor, but ${kindOf(value)} came.`, 'ERR_TORCH');
}

let native: Addon | undefined;

onAddonLoad((loaded) => {
  native = loaded;
  loaded.setTensorFactory(wrap);
  const names = loaded.operatorNames();
  for (const qualified of [...names, ...missingOperators(loaded.libtorchVersion(), names)]) {
    const [namespace, name] = qualified.split('::');
    if (namespace === 'aten' && !(name in Tensor.prototype)) installMethod(name, qualified);
  }
});

function installMethod(name: string, qualified: string): void {
  let id: number | undefined;
  Object.defineProperty(Tensor.prototype, name, {
    configurable: true,
    writable: true,
    value: function (this: Tensor, ...args: unknown[]): unknown {
      id ??= requireOperatorId(qualified);
      args.unshift(this);
      return invoke(id, args);
    },
  });
}
