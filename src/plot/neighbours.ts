import { type Tensor, torch } from '../torch';

const ROWS = 512; // whose distances to all rows are in memory at a time

/** The nearest rows of each row: `k` places and squared distances for each, one row after another. */
export interface Neighbours {
  k: number;
  places: Int32Array;
  squares: Float64Array;
}

/**
 * Finds the k nearest other rows of each row, exactly, by Euclidean distance.
 * @param rows float32 [N, D]
 * @param onRows called with the number of rows done; may throw to stop
 */
export async function nearest(rows: Tensor, k: number, onRows: (done: number) => Promise<void>): Promise<Neighbours> {
  const count = rows.shape[0];
  const result = { k, places: new Int32Array(count * k), squares: new Float64Array(count * k) };
  const norms = torch.tidy(() => torch.keep(rows.mul(rows).sum([1]))); // [N]
  try {
    for (let start = 0; start < count; start += ROWS) {
      const end = Math.min(count, start + ROWS);
      torch.tidy(() => {
        const part = rows.slice(0, start, end);
        const squares = part
          .mm(rows.t())
          .mul(-2)
          .add(norms)
          .add(norms.slice(0, start, end).unsqueeze(1)); // [n, N]
        squares.clamp_(0);
        squares.slice(1, start, end).fill_diagonal_(Infinity); // a row is no neighbour of itself
        const [values, places] = squares.topk(k, 1, false, true);
        result.squares.set(Float64Array.from(values.contiguous().data() as Float32Array), start * k);
        result.places.set(places.to('int32').contiguous().data() as Int32Array, start * k);
      });
      await onRows(end);
    }
  } finally {
    norms.dispose();
  }
  return result;
}
