import { addon, type NativeGenerator } from './addon';

/**
 * A random generator apart from the one of the process (torch.Generator on the CPU, a Mersenne twister). The same seed
 * gives the same numbers as in Python.
 */
export class Generator {
  /** @internal */
  readonly native: NativeGenerator;

  /**
   * @param seed an integer from -2^63 to 2^64 - 1, beyond 2^53 a bigint; default 0
   * @throws CleanclipError `ERR_TORCH` for another seed
   */
  constructor(seed: number | bigint = 0) {
    this.native = addon().createGenerator(seed);
  }
}
