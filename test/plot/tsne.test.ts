import { pca } from '../../src/plot/pca';
import { Quadtree } from '../../src/plot/quadtree';
import { tsne } from '../../src/plot/tsne';
import { Random } from '../../src/random';
import { torch } from '../../src/torch';

const points = (count: number): Float64Array => {
  const random = new Random(4);
  return Float64Array.from({ length: 2 * count }, () => random.uniform(-3, 3));
};

/** The sums over all pairs, without a tree. */
function exact(all: Float64Array, i: number): number[] {
  let [x, y, q] = [0, 0, 0];
  for (let j = 0; j < all.length; j += 2) {
    if (j === i) continue;
    const [dx, dy] = [all[i] - all[j], all[i + 1] - all[j + 1]];
    const weight = 1 / (1 + dx * dx + dy * dy);
    [x, y, q] = [x + weight * weight * dx, y + weight * weight * dy, q + weight];
  }
  return [x, y, q];
}

test('the tree sums as a loop over all points: equal with theta 0, near with 0.5, with equal points too', () => {
  const all = points(300);
  all.copyWithin(0, 100, 140); // 20 points twice
  const tree = new Quadtree(4); // grows
  tree.build(all);
  const sums = new Float64Array(3);
  for (let i = 0; i < all.length; i += 2) {
    tree.repulse(all[i], all[i + 1], 0, sums);
    for (const [k, value] of exact(all, i).entries()) expect(sums[k]).toBeCloseTo(value, 9);
    tree.repulse(all[i], all[i + 1], 0.5, sums);
    expect(Math.abs(sums[2] / exact(all, i)[2] - 1)).toBeLessThan(0.02);
  }
});

test('PCA has the variance of the first two components, with the largest score positive', () => {
  torch.manualSeed(3);
  const rows = torch.randn([50, 5]).mul(torch.tensor([5, 3, 1, 1, 1]));
  const [x, y] = [0, 1].map((axis) => Array.from(pca(rows)).filter((_, i) => i % 2 === axis));
  const dot = (a: number[], b: number[]): number => a.reduce((sum, value, i) => sum + value * b[i], 0);
  const values = torch.ops.aten.linalg_svdvals(rows.sub(rows.mean([0], true))).toArray() as number[];
  expect(Math.sqrt(dot(x, x))).toBeCloseTo(values[0], 3);
  expect(Math.sqrt(dot(y, y))).toBeCloseTo(values[1], 3);
  expect(Math.abs(dot(x, y)) / dot(x, x)).toBeLessThan(1e-5);
  for (const axis of [x, y]) expect(Math.max(...axis)).toBe(Math.max(...axis.map(Math.abs)));
});

test('t-SNE keeps clusters together and apart from others, and leaves no tensor behind', async () => {
  torch.manualSeed(5);
  const labels = Array.from({ length: 150 }, (_, i) => i % 3);
  const centres = torch.randn([3, 10]).mul(4);
  const rows = centres.index_select(0, torch.tensor(labels, { dtype: 'int64' })).add(torch.randn([150, 10]));
  const steps: string[] = [];
  const before = torch.memory().tensors;
  const options = { perplexity: 10, iterations: 500, seed: 0 };
  const placed = await tsne(rows, {
    ...options,
    onStep: async (done, total, text) => void steps.push(`${done}/${total} ${text}`),
  });
  expect(torch.memory().tensors).toBe(before);
  expect(steps).toEqual(expect.arrayContaining(['150/150 rows compared', '10/500 iterations of t-SNE']));
  const distance = (i: number, j: number): number =>
    Math.hypot(placed[2 * i] - placed[2 * j], placed[2 * i + 1] - placed[2 * j + 1]);
  const wrong = labels.filter((label, i) => {
    const others = labels.map((_, j) => j).filter((j) => j !== i);
    return labels[others.reduce((best, j) => (distance(i, j) < distance(i, best) ? j : best))] !== label;
  });
  expect(wrong).toEqual([]);
});
