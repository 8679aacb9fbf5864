import { type Tensor, torch } from '../torch';

/**
 * Projects rows on their first two principal components. The largest coordinate of each component is positive, so that
 * the picture does not depend on the signs of the decomposition.
 * @param rows float32 [N, D] with N and D of at least 2
 * @returns x0, y0, x1, y1, …
 */
export function pca(rows: Tensor): Float64Array {
  return torch.tidy(() => {
    const centred = rows.sub(rows.mean([0], true));
    const [left, values] = torch.ops.aten.linalg_svd(centred, false) as unknown as Tensor[]; // U [N, min], S [min]
    const scores = left.slice(1, 0, 2).mul(values.slice(0, 0, 2)); // [N, 2]
    const flat = Float64Array.from(scores.contiguous().data() as Float32Array);
    for (const axis of [0, 1]) {
      let largest = 0;
      for (let i = axis; i < flat.length; i += 2) if (Math.abs(flat[i]) > Math.abs(largest)) largest = flat[i];
      if (largest < 0) for (let i = axis; i < flat.length; i += 2) flat[i] = -flat[i];
    }
    return flat;
  });
}
