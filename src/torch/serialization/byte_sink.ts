/** A buffer that grows as bytes are appended. */
export class ByteSink {
  #buffer = Buffer.allocUnsafe(4096);
  #size = 0;

  /** Appends single bytes, each given as a number from 0 to 255. */
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

  /** Appends a float64 in big-endian order, which pickles use for floats. */
  float64(value: number): void {
    this.#grow(8).writeDoubleBE(value);
  }

  /** Appends the bytes of `content`. */
  bytes(content: Uint8Array): void {
    this.#grow(content.length).set(content);
  }

  /** Returns the bytes appended so far, as a view of the buffer. */
  content(): Buffer {
    return this.#buffer.subarray(0, this.#size);
  }

  /** Makes room for `count` more bytes and returns that room. */
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
