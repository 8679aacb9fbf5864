import { addon } from './addon';
import type { Generator } from './generator';
import { type Tensor, wrap } from './tensor';

/** Seeds the process-wide generator of every device; the same numbers as Python's torch.manual_seed follow. */
export function manualSeed(seed: number | bigint): void {
  addon().manualSeed(seed);
}

/** The state of a generator (default: the process-wide one) as uint8, as torch.get_rng_state gives it. */
export const getRngState = (generator?: Generator): Tensor => wrap(addon().generatorState(generator?.native ?? null));

/** Puts a generator into a state that `getRngState` gave. */
export const setRngState = (state: Tensor, generator?: Generator): void =>
  addon().setGeneratorState(generator?.native ?? null, state.handle);
