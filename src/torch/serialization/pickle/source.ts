import { Fault } from '../fault';

/** The source of a pickle's bytes: a Buffer, or a file that is read as far as needed. */
export type PickleSource = Pick<Buffer, 'length' | 'subarray'>;

/** The longest line, in bytes. No module and name together are longer. */
const maxLine = 1 << 16;

/** Reads the numbers and strings of a pickle one after another, and nothing past its end. */
export class PickleBytes {
  /** @param at offset in `pickle` where the next value begins */
  constructor(
    private readonly pickle: PickleSource,
    private at: number,
  ) {}

  /** The offset of the first byte not yet read. */
  get end(): number {
    return this.at;
  }

  /**
   * Takes the next `size` bytes.
   * @throws Fault when the pickle has fewer
   */
  take(size: number): Buffer {
    if (size > this.pickle.length - this.at) throw damaged('an end in the middle of a value');
    this.at += size;
    return this.pickle.subarray(this.at - size, this.at);
  }

  /** Takes the next byte. */
  byte(): number {
    return this.take(1)[0];
  }

  /** Takes the next uint32, little-endian. */
  uint32(): number {
    return this.take(4).readUInt32LE();
  }

  /** Takes the next uint64, little-endian. The result is inexact above 2^53. */
  uint64(): number {
    return Number(this.take(8).readBigUInt64LE());
  }

  /** Takes the next `size` bytes as a UTF-8 string. */
  text(size: number): string {
    return this.take(size).toString('utf8');
  }

  /** Takes a string that ends with a line feed, and drops the line feed. */
  line(): string {
    const end = this.pickle.subarray(this.at, Math.min(this.at + maxLine, this.pickle.length)).indexOf(0x0a);
    if (end < 0) throw damaged('a global without a name');
    return this.text(end + 1).slice(0, -1);
  }
}

/**
 * Makes the Fault of a damaged pickle.
 * @param what the defect, as the end of a sentence that begins "its pickle has"
 */
export const damaged = (what: string): Fault => new Fault(`is damaged: its pickle has ${what}`);
