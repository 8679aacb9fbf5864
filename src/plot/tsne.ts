import { Random } from '../random';
import type { Tensor } from '../torch';
import { type Affinities, affinities } from './affinities';
import { nearest } from './neighbours';
import { pca } from './pca';
import { Quadtree } from './quadtree';
import { zOrder } from './z_order';

const THETA = 0.5;
const EXAGGERATION = 12; // of P in the first iterations
const EXPLORED = 250; // iterations with it
const BETWEEN_ORDERS = 25; // iterations
const BETWEEN_TICKS = 10; // iterations

/** Options of {@link tsne}. */
export interface TsneOptions {
  perplexity: number;
  iterations: number;
  seed: number;
  /** called after some rows or iterations; may throw to stop */
  onStep: (done: number, total: number, text: string) => Promise<void>;
}

/**
 * Embeds rows in the plane by Barnes-Hut t-SNE (van der Maaten 2014). As in scikit-learn it begins with the principal
 * components, and the learning rate is N / 48, at least 50. The seed moves the first places of equal rows apart.
 * @param rows float32 [N, D]
 * @returns x0, y0, x1, y1, …
 */
export async function tsne(rows: Tensor, { perplexity, iterations, seed, onStep }: TsneOptions): Promise<Float64Array> {
  const count = rows.shape[0];
  const k = Math.min(count - 1, Math.floor(3 * perplexity) + 1);
  const near = await nearest(rows, k, (done) => onStep(done, count, 'rows compared'));
  const joint = affinities(near, perplexity);
  const points = start(pca(rows), seed);
  const descent = new Descent(points, joint, Math.max(count / EXAGGERATION / 4, 50));
  for (let i = 0; i < iterations; i++) {
    const early = i < EXPLORED;
    descent.step(early ? EXAGGERATION : 1, early ? 0.5 : 0.8);
    if ((i + 1) % BETWEEN_TICKS === 0) await onStep(i + 1, iterations, 'iterations of t-SNE');
  }
  return points;
}

/** Scales the first places to a standard deviation of 1e-4, and moves each a little. */
function start(points: Float64Array, seed: number): Float64Array {
  const random = new Random(seed, 0);
  let sum = 0;
  for (let i = 0; i < points.length; i += 2) sum += points[i] * points[i]; // the mean is 0
  const scale = 1e-4 / (Math.sqrt(sum / (points.length / 2)) || 1);
  return points.map((value) => value * scale + 1e-7 * (random.next() - 0.5));
}

/** Gradient descent with momentum and a gain for each coordinate. */
class Descent {
  private readonly gradient: Float64Array;
  private readonly velocity: Float64Array;
  private readonly gains: Float64Array;
  private readonly tree: Quadtree;
  private order: Int32Array = new Int32Array(0);
  private steps = 0;
  private readonly sums = new Float64Array(3);

  constructor(
    private readonly points: Float64Array,
    private readonly joint: Affinities,
    private readonly rate: number,
  ) {
    this.gradient = new Float64Array(points.length);
    this.velocity = new Float64Array(points.length);
    this.gains = new Float64Array(points.length).fill(1);
    this.tree = new Quadtree(points.length / 2);
  }

  step(exaggeration: number, momentum: number): void {
    const { points, gradient, velocity, gains, rate } = this;
    this.repel();
    this.attract(exaggeration);
    for (let i = 0; i < points.length; i++) {
      const against = velocity[i] * gradient[i] < 0;
      gains[i] = Math.max(0.01, against ? gains[i] + 0.2 : gains[i] * 0.8);
      velocity[i] = momentum * velocity[i] - rate * gains[i] * gradient[i];
      points[i] += velocity[i];
    }
  }

  private repel(): void {
    const { points, gradient, tree, sums } = this;
    tree.build(points);
    let total = 0;
    if (this.steps++ % BETWEEN_ORDERS === 0) this.order = zOrder(points);
    for (const point of this.order) {
      const i = 2 * point;
      tree.repulse(points[i], points[i + 1], THETA, sums);
      gradient[i] = sums[0];
      gradient[i + 1] = sums[1];
      total += sums[2];
    }
    const scale = -4 / total;
    for (let i = 0; i < gradient.length; i++) gradient[i] *= scale;
  }

  private attract(exaggeration: number): void {
    const { points, gradient } = this;
    const { starts, places, values } = this.joint;
    for (let i = 0; i + 1 < starts.length; i++) {
      const [x, y] = [points[2 * i], points[2 * i + 1]];
      let [sumX, sumY] = [0, 0];
      for (let entry = starts[i]; entry < starts[i + 1]; entry++) {
        const j = 2 * places[entry];
        const dx = x - points[j];
        const dy = y - points[j + 1];
        const weight = values[entry] / (1 + dx * dx + dy * dy);
        sumX += weight * dx;
        sumY += weight * dy;
      }
      gradient[2 * i] += 4 * exaggeration * sumX;
      gradient[2 * i + 1] += 4 * exaggeration * sumY;
    }
  }
}
