/**
 * Computes the 95% Wilson score interval of a share of n independent trials (Wilson 1927).
 * @param share from 0 to 1
 * @returns lower and upper end, from 0 to 1
 */
export function wilson(share: number, n: number): [number, number] {
  const z = 1.959964;
  const centre = (share + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n))) / (1 + (z * z) / n);
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}
