import { optionError } from './errors';
import { show } from './show';

/**
 * A seeded generator for choices made in JavaScript (augmentations, templates, row picks): xoshiro128** (Blackman &
 * Vigna 2018), seeded by splitmix32. Numbers that must equal Python's come from `torch.Generator` instead.
 */
export class Random {
  private readonly state: Uint32Array;

  /**
   * Makes a generator.
   * @param seeds any integers; the same list gives the same sequence, so `new Random(seed, epoch, row)` is a stream of
   * its own
   * @throws CleanclipError `ERR_OPTION` for a seed that is not a finite number
   */
  constructor(...seeds: number[]) {
    const wrong = seeds.findIndex((seed) => !Number.isFinite(seed));
    if (wrong >= 0) throw optionError(`A seed of Random must be an integer, but is ${show(seeds[wrong])}.`);
    let mixed = 0x9e3779b9;
    const splitmix = (): number => {
      mixed = (mixed + 0x9e3779b9) | 0;
      let z = mixed;
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      return (z ^ (z >>> 15)) >>> 0;
    };
    for (const seed of seeds) {
      mixed ^= seed | 0;
      splitmix();
      mixed ^= Math.floor(seed / 2 ** 32) | 0;
      mixed = splitmix();
    }
    this.state = Uint32Array.from({ length: 4 }, splitmix);
  }

  /** Draws a 32-bit unsigned integer. */
  uint32(): number {
    const s = this.state;
    const scrambled = Math.imul(s[1], 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
    const shifted = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = (s[3] << 11) | (s[3] >>> 21);
    return result;
  }

  /** Draws a number in [0, 1) with 53 random bits. */
  next(): number {
    return ((this.uint32() >>> 5) * 2 ** 26 + (this.uint32() >>> 6)) / 2 ** 53;
  }

  /** Draws an integer in [0, bound). */
  int(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  /** Draws a number in [low, high). */
  uniform(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  /** Draws one of the items. */
  choice<T>(items: readonly T[]): T {
    return items[this.int(items.length)];
  }

  /** Shuffles an array in place (Fisher–Yates), and returns the same array. */
  shuffle<T>(items: T[]): T[] {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.int(i + 1);
      [items[i], items[j]] = [items[j], items[i]];
    }
    return items;
  }
}
