import { checkOptions, optionError } from '../errors';
import { show } from '../show';
import { addon } from './addon';
import { requireFunction } from './argument_checks';
import type { DType } from './dtype';
import { type Tensor, wrap } from './tensor';

function withGradMode<T>(enabled: boolean, fn: () => T): T {
  requireFunction(fn, enabled ? 'enableGrad' : 'noGrad');
  const before = addon().setGradMode(enabled);
  try {
    return fn();
  } finally {
    addon().setGradMode(before);
  }
}

/** Runs a synchronous function without recording operations for backward (torch.no_grad). */
export const noGrad = <T>(fn: () => T): T => withGradMode(false, fn);

/** Runs a synchronous function with recording, inside a noGrad (torch.enable_grad). */
export const enableGrad = <T>(fn: () => T): T => withGradMode(true, fn);

/**
 * Runs a synchronous function under autocast: matrix products and convolutions in the lower precision, sums and
 * losses in float32 (torch.autocast).
 * @param options.device 'cpu' (default) or 'cuda'
 * @param options.dtype 'bfloat16' (default) or 'float16'; null runs without autocast
 * @throws CleanclipError `ERR_OPTION` for another dtype or device
 */
export function autocast<T>(options: { device?: string; dtype?: DType | null }, fn: () => T): T {
  requireFunction(fn, 'autocast');
  checkOptions('The first argument of torch.autocast', options);
  const { device = 'cpu', dtype = 'bfloat16' } = options;
  if (typeof device !== 'string')
    throw optionError(`The device of torch.autocast must be 'cpu' or 'cuda', but is ${show(device)}.`);
  if (dtype !== null && dtype !== 'bfloat16' && dtype !== 'float16') {
    throw optionError(`The dtype of torch.autocast must be 'bfloat16', 'float16' or null, but is ${show(dtype)}.`);
  }
  const before = addon().setAutocast(device, dtype);
  addon().autocastNesting(true);
  try {
    return fn();
  } finally {
    addon().autocastNesting(false);
    addon().setAutocast(device, before);
  }
}

/**
 * Whether a device computes in bfloat16 by instructions of its own: a CPU with AVX512_BF16 or AMX, a GPU of compute
 * capability 8.0 or more. Elsewhere bfloat16 is slower than float32. The environment variable CLEANCLIP_BF16 overrules
 * what is found: 0 says no, 1 says yes.
 * @param device 'cpu' or 'cuda:<n>'
 * @throws CleanclipError `ERR_OPTION` for another value of CLEANCLIP_BF16
 */
export function hasBfloat16(device: string): boolean {
  const told = process.env.CLEANCLIP_BF16 ?? '';
  if (!['', '0', '1'].includes(told))
    throw optionError(
      `CLEANCLIP_BF16 must be 0 (no bf16), 1 (bf16) or unset (look at the processor), but is '${told}'.`,
    );
  if (told !== '') return told === '1';
  return device === 'cpu' ? addon().cpuHasBfloat16() : addon().cudaHasBfloat16();
}

/**
 * The gradients of `outputs` with respect to `inputs`, without touching any `grad` (torch.autograd.grad).
 * @param options.gradOutputs gradients of the outputs; null stands for ones, for an output of one element
 * @param options.allowUnused give null for an input that the outputs do not depend on, instead of an error
 */
export function grad(
  outputs: Tensor | Tensor[],
  inputs: Tensor | Tensor[],
  options: {
    gradOutputs?: (Tensor | null)[];
    retainGraph?: boolean;
    createGraph?: boolean;
    allowUnused?: boolean;
  } = {},
): (Tensor | null)[] {
  const { gradOutputs, createGraph = false, retainGraph = createGraph, allowUnused = false } = options;
  const handles = (tensors: Tensor | Tensor[]): number[] => [tensors].flat().map((tensor) => tensor.handle);
  return addon()
    .gradientsOf(
      handles(outputs),
      handles(inputs),
      gradOutputs?.map((gradient) => gradient?.handle ?? null) ?? null,
      retainGraph,
      createGraph,
      allowUnused,
    )
    .map((handle) => (handle === null ? null : wrap(handle)));
}
