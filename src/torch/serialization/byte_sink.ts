/** A buffer that grows as bytes are appended. */
export class ByteSink {
  #buffer = Buffer.allocUnsafe(4096);
  #size = 0;

  /** Appends bytes. */
  byte(...values: number[]): void {
    for (const value of values) this.#grow(1).writeUInt8(value);
  }

  /** Appends a little-endian uint16. */
  uint16(value: number): void {
    this.#grow(2).writeUInt16LE(value);
  }

  /** Appends a little-endian uint32. */
  uint32(value: number): void {
    this.#grow(4).writeUInt32LE(value);
  }

  /** Appends a little-endian int32. */
  int32(value: number): void {
    this.#grow(4).writeInt32LE(value);
  }

  /** Big-endian, as pickles hold floats. */
  float64(value: number): void {
    this.#grow(8).writeDoubleBE(value);
  }

  /** Appends the bytes of `content`. */
  bytes(content: Uint8Array): void {
    this.#grow(content.length).set(content);
  }

  /** What was appended so far. */
  content(): Buffer {
    return this.#buffer.subarray(0, this.#size);
  }

  /** Room for more bytes. */
  #grow(count: number): Buffer {
    const start = this.#size;
    this.#size += count;
    if (this.#size > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#size, 2 * this.#buffer.length));
      larger.set(this.#buffer.subarray(0, start));
      this.#buffer = larger;
    }
    return this.#buffer.subarray(start, this.#size);
  }
}
