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
import { load, loadMetadata, save } from './serialization';
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
};

/**
 * libtorch: factories, grad modes, scopes, seeds, and every ATen operator as a function of its own name.
 * What is written out here wins over an operator of the same name.
 */
export type Torch = typeof own & Omit<TorchFunctions, keyof typeof own>;

/** libtorch; see {@link Torch}. */
export const torch = Object.setPrototypeOf(
  own,
  operatorsOnDemand((name) => operator(`aten::${name}`)),
) as Torch;
