import type { Neighbours } from './neighbours';

/** The joint probabilities P of t-SNE, as lists: those of row i are from `starts[i]` up to `starts[i + 1]`. */
export interface Affinities {
  starts: Int32Array;
  places: Int32Array;
  /** they add up to 1; two entries for the same pair add up to its probability */
  values: Float64Array;
}

/**
 * Computes the probabilities of neighbours: Gaussian, with a width for each row whose perplexity is as wanted, then
 * made symmetric (van der Maaten and Hinton 2008; van der Maaten 2014 for nearest neighbours alone).
 */
export function affinities({ k, places, squares }: Neighbours, perplexity: number): Affinities {
  const count = places.length / k;
  const conditional = new Float64Array(places.length);
  for (let i = 0; i < count; i++) fitWidth(squares, conditional, i * k, k, Math.log(perplexity));

  const starts = new Int32Array(count + 1);
  for (const [entry, j] of places.entries()) {
    starts[Math.floor(entry / k) + 1]++;
    starts[j + 1]++;
  }
  for (let i = 0; i < count; i++) starts[i + 1] += starts[i];
  const next = starts.slice(0, count);
  const result = { starts, places: new Int32Array(2 * places.length), values: new Float64Array(2 * places.length) };
  const put = (i: number, j: number, value: number): void => {
    result.places[next[i]] = j;
    result.values[next[i]++] = value / (2 * count);
  };
  for (const [entry, j] of places.entries()) {
    const i = Math.floor(entry / k);
    put(i, j, conditional[entry]);
    put(j, i, conditional[entry]);
  }
  return result;
}

/** Finds the precision of one row by bisection, and writes its conditional probabilities. */
function fitWidth(squares: Float64Array, out: Float64Array, from: number, k: number, wanted: number): void {
  const nearest = squares[from]; // taken off, so that the largest exponential is 1
  let [beta, low, high] = [1, 0, Infinity];
  for (let round = 0; round < 100; round++) {
    let [sum, weighted] = [0, 0];
    for (let n = from; n < from + k; n++) {
      out[n] = Math.exp(-beta * (squares[n] - nearest));
      sum += out[n];
      weighted += out[n] * (squares[n] - nearest);
    }
    const entropy = Math.log(sum) + (beta * weighted) / sum;
    for (let n = from; n < from + k; n++) out[n] /= sum;
    const excess = entropy - wanted;
    if (Math.abs(excess) < 1e-5) return;
    if (excess > 0) {
      low = beta;
      beta = high === Infinity ? beta * 2 : (beta + high) / 2;
    } else {
      high = beta;
      beta = (beta + low) / 2;
    }
  }
}
