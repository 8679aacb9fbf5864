const BLOCK = 1 << 16; // numbers per block

/**
 * A list of numbers that grows by blocks of their own type. An array would take 8 bytes for each number, and copy them
 * as it grows.
 */
export class NumberList {
  private readonly blocks: (Float64Array | Uint8Array)[] = [];
  private length = 0;

  /** @param Numbers the type of the numbers */
  constructor(private readonly Numbers: Float64ArrayConstructor | Uint8ArrayConstructor) {}

  /** Appends a number. */
  push(value: number): void {
    if (this.length % BLOCK === 0) this.blocks.push(new this.Numbers(BLOCK));
    this.blocks[this.blocks.length - 1][this.length++ % BLOCK] = value;
  }

  /** Returns the numbers in memory that threads can share. The list is empty afterwards. */
  finish(): SharedArrayBuffer {
    const shared = new SharedArrayBuffer(this.length * this.Numbers.BYTES_PER_ELEMENT);
    const all = this.Numbers === Uint8Array ? new Uint8Array(shared) : new Float64Array(shared);
    for (const [i, block] of this.blocks.splice(0).entries())
      all.set(block.subarray(0, this.length - i * BLOCK), i * BLOCK);
    this.length = 0;
    return shared;
  }
}
