import { addon } from './addon';
import type { Generator } from './generator';
import { type Tensor, wrap } from './tensor';

/**
 * Seeds the process's generator of every device (torch.manual_seed). The same numbers follow as in Python.
 * @param seed an integer from -2^63 to 2^64 - 1, beyond 2^53 a bigint
 * @throws CleanclipError `ERR_TORCH` for another seed
 */
export function manualSeed(seed: number | bigint): void {
  addon().manualSeed(seed);
}

/**
 * Returns the state of a generator (torch.get_rng_state), uint8 [5056] as in Python.
 * @param generator default: the process's generator of the CPU
 */
export const getRngState = (generator?: Generator): Tensor => wrap(addon().generatorState(generator?.native ?? null));

/**
 * Sets the state of a generator (torch.set_rng_state).
 * @param state from `getRngState`, or Python's torch.get_rng_state
 * @param generator default: the process's generator of the CPU
 * @throws CleanclipError `ERR_TORCH` when it is no such state
 */
export const setRngState = (state: Tensor, generator?: Generator): void =>
  addon().setGeneratorState(generator?.native ?? null, state.handle);
