import { addon, type NativeGenerator } from './addon';

/**
 * A random generator of its own (torch.Generator on the CPU, a Mersenne twister): the same numbers as Python's for the
 * same seed.
 */
export class Generator {
  /** @internal */
  readonly native: NativeGenerator;

  /** @param seed an integer; default 0 */
  constructor(seed: number | bigint = 0) {
    this.native = addon().createGenerator(seed);
  }
}
