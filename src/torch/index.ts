import * as autograd from './autograd';
import * as backends from './backends';
import * as cuda from './cuda';
import * as distributed from './distributed';
import * as factories from './factories';
import { Generator } from './generator';
import { GradScaler } from './grad_scaler';
import { emptyCache } from './memory';
import type { TorchFunctions } from './operators.gen';
import { operator, operatorsOnDemand, ops } from './ops';
import { profile } from './profile';
import * as random from './random';
import * as scope from './scope';
import { load, loadMetadata, save, saveAsync } from './serialization';
import { Tensor } from './tensor';
import * as threads from './threads';

export { Tensor } from './tensor';
export { Generator } from './generator';
export type { OperatorProfile } from './profile';
export type { DType, TypedArray } from './dtype';
export type { Nested } from './nested';
export type { RandomOptions, TensorOptions } from './factories';

const own = {
  ...factories,
  ...scope,
  ...autograd,
  ...random,
  ...threads,
  backends,
  cuda,
  distributed,
  emptyCache,
  profile,
  Generator,
  GradScaler,
  Tensor,
  ops,
  load,
  loadMetadata,
  save,
  saveAsync,
};

/**
 * What `torch` has: factories, grad modes, scopes, seeds, and every ATen operator as a function of its own name. Where
 * a function written here has the name of an operator, it replaces the operator.
 */
export type Torch = typeof own & Omit<TorchFunctions, keyof typeof own>;

/**
 * PyTorch on libtorch; see {@link Torch}. The first call loads libtorch. Every function throws CleanclipError:
 * `ERR_TORCH` for what libtorch refuses, `ERR_TORCH_OOM` when memory is short, `ERR_NATIVE` when libtorch is missing.
 */
export const torch = Object.setPrototypeOf(
  own,
  operatorsOnDemand((name) => operator(`aten::${name}`)),
) as Torch;
