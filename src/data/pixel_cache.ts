import { type Tensor, torch } from '../torch';

/** The data of a {@link PixelCache}, for worker threads. */
export interface SharedPixels {
  /** bytes of the slot of a row */
  slotBytes: number;
  /** int32 [rows, 2]: height and width of the stored image; 0 if there is none */
  sizes: SharedArrayBuffer;
  /** the slots, `rowsPerChunk` in each buffer */
  chunks: SharedArrayBuffer[];
}

/**
 * What a cache has for a row: `image`, uint8 [3, H, W] and channels last in memory, as `decodeImage` returns it; or
 * `keep`, which stores an image if it fits; or neither if the image file is missing.
 */
export interface Found {
  image?: Tensor;
  keep?: (image: Tensor) => void;
}

const CHUNK_BYTES = 1 << 30;

/**
 * A cache of decoded images in memory that all workers share. Each row has a slot of the same size, which is written
 * once and read in every later epoch. The system provides the memory as slots are written.
 */
export class PixelCache {
  private readonly sizes: Int32Array;
  private readonly rowsPerChunk: number;

  constructor(private readonly shared: SharedPixels) {
    this.sizes = new Int32Array(shared.sizes);
    this.rowsPerChunk = rowsPerChunk(shared.slotBytes);
  }

  /**
   * Allocates memory for `rows` images of 3 × `size` × `size` bytes. Returns null if that is more than `limit` bytes: a
   * cache for a small part of a large set would cost more than it saves.
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

  /** Returns the decoded image of a row, or a function that stores it. */
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
