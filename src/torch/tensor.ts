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
import { operatorId } from './operator_ids';
import type { TensorMethods } from './operators.gen';
import { scope, track, untrack } from './tracking';

/* eslint-disable @typescript-eslint/no-unsafe-declaration-merging -- the class and its methods are one type */
/** Every operator that takes a tensor first is a method; {@link installMethod} puts them on the prototype. */
export interface Tensor extends TensorMethods {}

/**
 * A libtorch tensor. Its memory is freed by `dispose()`, at the end of the `torch.tidy` it was made in, or when
 * JavaScript collects the object.
 */
export class Tensor {
  /* eslint-enable @typescript-eslint/no-unsafe-declaration-merging */

  /** @internal bytes reported to V8 for this tensor; undefined while a scope owns it */
  trackedBytes: number | undefined;

  /** @internal its number in the addon's table */
  readonly handle: Handle;

  /** The library makes tensors; call a factory such as `torch.tensor`. */
  constructor(handle: number) {
    this.handle = handle;
  }

  /** Sizes of the dimensions; [] for a scalar. */
  get shape(): number[] {
    return addon().shape(this.handle);
  }

  /** Steps between neighbours along each dimension, in elements. */
  get strides(): number[] {
    return addon().strides(this.handle);
  }

  /** 'float32', 'int64', … */
  get dtype(): DType {
    return addon().dtype(this.handle) as DType;
  }

  /** 'cpu' or 'cuda:0'. */
  get device(): string {
    return addon().device(this.handle);
  }

  /** @internal The same for tensors that share memory, different otherwise. */
  get storageKey(): bigint {
    return addon().storageKey(this.handle);
  }

  /** The gradient that `backward` has accumulated, or null. */
  get grad(): Tensor | null {
    const handle = addon().grad(this.handle);
    return handle === null ? null : wrap(handle);
  }

  set grad(gradient: Tensor | null) {
    if (gradient !== null) requireTensor(gradient, 'grad');
    addon().setGrad(this.handle, gradient === null ? null : gradient.handle);
  }

  /** Whether operations on this tensor are recorded for `backward`. */
  get requiresGrad(): boolean {
    return addon().requiresGrad(this.handle);
  }

  set requiresGrad(value: boolean) {
    addon().setRequiresGrad(this.handle, value);
  }

  /** Whether it is not the result of a recorded operation. */
  get isLeaf(): boolean {
    return addon().isLeaf(this.handle);
  }

  /**
   * Adds the gradient of this tensor to the `grad` of every leaf it depends on (torch.Tensor.backward).
   * @param options.gradient the gradient of this tensor itself; needed unless it has one element
   * @param options.retainGraph keep the recorded graph for another backward; default false
   * @param options.createGraph record the backward too, for higher derivatives; default false
   */
  backward(options: { gradient?: Tensor; retainGraph?: boolean; createGraph?: boolean } = {}): void {
    if (typeof options !== 'object' || options === null)
      throw new CleanclipError('backward takes an object of options, such as { gradient }.', 'ERR_TORCH');
    const { gradient, createGraph = false, retainGraph = createGraph } = options;
    if (gradient !== undefined) requireTensor(gradient, "backward's `gradient`");
    addon().backward(this.handle, gradient?.handle ?? null, retainGraph, createGraph);
  }

  /**
   * This tensor in another dtype, on another device, or both; itself when nothing changes.
   * @param target.nonBlocking go on while a GPU copies, if the memory on the CPU is pinned; default false
   */
  to(
    target:
      DType | 'cpu' | 'meta' | 'cuda' | `cuda:${number}` | { dtype?: DType; device?: string; nonBlocking?: boolean },
  ): Tensor {
    const { dtype = this.dtype, device = this.device, nonBlocking = false } = moveTarget(target);
    return invokeByName('aten::to', [this, device, dtype, nonBlocking]) as Tensor;
  }

  /** The only element, as a number (a bigint beyond 2^53) or boolean. */
  item(): number {
    return invokeByName('aten::item', [this]) as number;
  }

  /**
   * A copy of the elements in row-major order. bfloat16 comes as Float32Array, so does float16 in a Node without
   * Float16Array, bool as 0 and 1, complex as pairs.
   */
  data(): TypedArray {
    const Elements = arrayOf(this.dtype);
    if (Elements !== undefined) return new Elements(addon().copyBytes(this.handle));
    const wide = this.to('float32');
    try {
      return wide.data();
    } finally {
      wide.dispose();
    }
  }

  /** The bytes of a contiguous CPU tensor, not copied: writing to them writes to the tensor. */
  bytes(): Uint8Array {
    return new Uint8Array(addon().viewBytes(this.handle));
  }

  /** The elements as nested arrays; int64 as numbers where they are exact. */
  toArray(): Nested {
    return nested(this.data(), this.dtype, this.shape);
  }

  /** Frees this tensor's memory now, unless other tensors share it. Using it afterwards is an error. */
  dispose(): void {
    untrack(this);
    addon().release(this.handle);
  }

  /** The same at the end of the block of a `using` declaration. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** What Node prints; as `toString()`. */
  [inspect.custom](): string {
    return this.toString();
  }

  /** Dtype, shape and device, and the elements of a tensor of at most 100. */
  toString(): string {
    const { shape, dtype, device } = this;
    const size = shape.reduce((product, length) => product * length, 1);
    const place = device === 'cpu' ? '' : `, ${device}`;
    const values = size <= 100 ? ` ${inspect(this.toArray(), { depth: 9 })}` : '';
    return `Tensor(${dtype} [${shape.join(', ')}]${place})${values}`;
  }
}

/** @internal The tensor of a fresh handle. */
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

// Spreading an array costs V8 as much as the rest of the call; most operators take few arguments.
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

/** Puts the addon's form of an argument at `values[i]`; true when it holds tensor handles. */
function put(values: unknown[], i: number, value: unknown): boolean {
  if (value instanceof Tensor) {
    values[i] = value.handle;
    return true;
  }
  if (value instanceof Generator) {
    values[i] = value.native;
    return false;
  }
  // The addon refuses longer lists; looking for tensors in a sparse one of 2^31 would take minutes.
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

// A number is a new handle, or -1 - i for argument i changed in place; all else comes in an array of one.
function unwrap(result: unknown, given: readonly unknown[]): unknown {
  if (typeof result !== 'number') return (result as [unknown])[0];
  return result >= 0 ? wrap(result) : given[-1 - result];
}

/** @internal Calls an operator by its qualified name, 'aten::add'. */
export function invokeByName(name: string, given: readonly unknown[]): unknown {
  const id = operatorId(name);
  if (id < 0) throw new CleanclipError(`libtorch has no operator '${name}'.`, 'ERR_TORCH');
  return invoke(id, given);
}

/** @internal Throws unless `value` is a tensor, as `name` takes one. */
export function requireTensor(value: unknown, name: string): void {
  if (!(value instanceof Tensor))
    throw new CleanclipError(`${name} takes a Tensor, but ${kindOf(value)} came.`, 'ERR_TORCH');
}

let native: Addon | undefined;

onAddonLoad((loaded) => {
  native = loaded;
  loaded.setTensorFactory(wrap);
  for (const qualified of loaded.operatorNames()) {
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
      id ??= operatorId(qualified);
      args.unshift(this);
      return invoke(id, args);
    },
  });
}
