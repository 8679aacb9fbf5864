import { Fault } from '../fault';

/** Where a pickle's bytes come from: a Buffer, or a file that is read as far as need be. */
export type PickleSource = Pick<Buffer, 'length' | 'subarray'>;

/** No module and name together are longer. */
const maxLine = 1 << 16;

/** Reads the numbers and texts of a pickle one after another; nothing is read beyond its end. */
export class PickleBytes {
  /** @param at where in `pickle` the next value begins */
  constructor(
    private readonly pickle: PickleSource,
    private at: number,
  ) {}

  /** Where the bytes end that were read so far. */
  get end(): number {
    return this.at;
  }

  /** The next `size` bytes. */
  take(size: number): Buffer {
    if (size > this.pickle.length - this.at) throw damaged('an end in the middle of a value');
    this.at += size;
    return this.pickle.subarray(this.at - size, this.at);
  }

  /** The next byte. */
  byte(): number {
    return this.take(1)[0];
  }

  /** The next uint32, little-endian. */
  uint32(): number {
    return this.take(4).readUInt32LE();
  }

  /** The next uint64, little-endian; inexact above 2^53. */
  uint64(): number {
    return Number(this.take(8).readBigUInt64LE());
  }

  /** The next `size` bytes as UTF-8. */
  text(size: number): string {
    return this.take(size).toString('utf8');
  }

  /** A text that a line feed ends. */
  line(): string {
    const end = this.pickle.subarray(this.at, Math.min(this.at + maxLine, this.pickle.length)).indexOf(0x0a);
    if (end < 0) throw damaged('a global without a name');
    return this.text(end + 1).slice(0, -1);
  }
}

/** @param what its pickle has, for the end of a sentence */
export const damaged = (what: string): Fault => new Fault(`is damaged: its pickle has ${what}`);
