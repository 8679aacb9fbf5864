import { type Tensor, torch } from '../torch';

/** The memory of a {@link PixelCache}, for worker threads. */
export interface SharedPixels {
  /** bytes a row has room for */
  slotBytes: number;
  /** int32, two a row: height and width of the stored image, 0 while there is none */
  sizes: SharedArrayBuffer;
  /** the slots, `rowsPerChunk` in each buffer */
  chunks: SharedArrayBuffer[];
}

/**
 * The image of a row, uint8 [3, H, W] and channels-last in memory, as `decodeImage` gives it. If none is stored yet,
 * `keep` stores one if it fits.
 */
export interface Found {
  image?: Tensor;
  keep?: (image: Tensor) => void;
}

const CHUNK_BYTES = 1 << 30;

/**
 * Decoded images kept in memory that all workers share, a slot of equal size for each row. A row is written once and
 * read in every later epoch; memory is taken from the system as slots are written.
 */
export class PixelCache {
  private readonly sizes: Int32Array;
  private readonly rowsPerChunk: number;

  constructor(private readonly shared: SharedPixels) {
    this.sizes = new Int32Array(shared.sizes);
    this.rowsPerChunk = rowsPerChunk(shared.slotBytes);
  }

  /**
   * Memory for `rows` images of 3 × `size` × `size` bytes, or null when that is more than `limit` bytes: a cache that
   * holds a small part of a large set would cost more than it saves.
   */
  static allocate(rows: number, size: number, limit: number): SharedPixels | null {
    const slotBytes = 3 * size * size;
    if (rows * slotBytes > limit) return null;
    const chunkRows = rowsPerChunk(slotBytes);
    const chunks = Array.from({ length: Math.ceil(rows / chunkRows) }, (_, i) =>
      Math.min(chunkRows, rows - i * chunkRows),
    );
    return {
      slotBytes,
      sizes: new SharedArrayBuffer(8 * rows),
      chunks: chunks.map((count) => new SharedArrayBuffer(count * slotBytes)),
    };
  }

  /** The decoded image of a row, or the slot that is to hold it. */
  find(row: number): Found {
    const height = Atomics.load(this.sizes, 2 * row);
    if (height === 0) return { keep: (image) => this.keep(row, image) };
    const width = Atomics.load(this.sizes, 2 * row + 1);
    const pixels = this.slot(row, 3 * height * width).slice();
    return { image: torch.tidy(() => torch.tensor(pixels, { shape: [height, width, 3] }).permute([2, 0, 1])) };
  }

  private keep(row: number, image: Tensor): void {
    const [channels, height, width] = image.shape;
    const bytes = channels * height * width;
    if (bytes > this.shared.slotBytes) return;
    torch.tidy(() => this.slot(row, bytes).set(image.permute([1, 2, 0]).contiguous().bytes()));
    Atomics.store(this.sizes, 2 * row + 1, width);
    Atomics.store(this.sizes, 2 * row, height);
  }

  private slot(row: number, bytes: number): Uint8Array {
    const chunk = this.shared.chunks[Math.floor(row / this.rowsPerChunk)];
    return new Uint8Array(chunk, (row % this.rowsPerChunk) * this.shared.slotBytes, bytes);
  }
}

const rowsPerChunk = (slotBytes: number): number => Math.max(1, Math.floor(CHUNK_BYTES / slotBytes));
