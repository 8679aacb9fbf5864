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

/**
 * Runs a synchronous function without recording its operations for backward (torch.no_grad).
 * @returns what `fn` returns
 * @throws CleanclipError `ERR_TORCH` when `fn` is no function
 */
export const noGrad = <T>(fn: () => T): T => withGradMode(false, fn);

/**
 * Runs a synchronous function and records its operations for backward, also inside `noGrad` (torch.enable_grad).
 * @returns what `fn` returns
 * @throws CleanclipError `ERR_TORCH` when `fn` is no function
 */
export const enableGrad = <T>(fn: () => T): T => withGradMode(true, fn);

/**
 * Runs a synchronous function under autocast: matrix products and convolutions compute in the lower precision, sums and
 * losses in float32 (torch.autocast).
 * @param options.device 'cpu' (default) or 'cuda'
 * @param options.dtype 'bfloat16' (default) or 'float16'; null runs without autocast, also inside another autocast
 * @returns what `fn` returns
 * @throws CleanclipError `ERR_OPTION` for another dtype or a device that is no string, `ERR_TORCH` for an unknown
 * device or when `fn` is no function
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
 * Returns whether a device has instructions for bfloat16: a CPU with AVX512_BF16 or AMX, a GPU of compute capability
 * 8.0 or more. Elsewhere bfloat16 is slower than float32. The environment variable CLEANCLIP_BF16 overrules this: 0
 * means no, 1 means yes.
 * @param device 'cpu'; any other name asks about the current GPU, and the answer is false when there is none
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
 * Computes the gradients of `outputs` with respect to `inputs`, and changes no `grad` (torch.autograd.grad).
 * @param options.gradOutputs the gradient of each output, of its shape; null for an output of one element means 1,
 * which is the default for all
 * @param options.retainGraph keep the recorded graph for another backward; default `createGraph`
 * @param options.createGraph record the backward too, for higher derivatives; default false
 * @param options.allowUnused return null for an input on which the outputs do not depend; default false
 * @returns one gradient per input, of its shape, dtype and device
 * @throws CleanclipError `ERR_TORCH` when nothing was recorded, for an unused input without `allowUnused`, and for an
 * output of several elements without its gradient
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
