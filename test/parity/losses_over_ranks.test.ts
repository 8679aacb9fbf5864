import { torch } from '../../src/torch';
import { valuesOf } from '../torch/distributed/ranks';
import { pythonRank } from './python_rank';

const generator = new torch.Generator(5);
const numbers = (shape: number[]): unknown => torch.randn(shape, { generator }).toArray();
const given = {
  weights: { image: numbers([6, 5]), text: numbers([7, 5]), logit_scale: 1.5 },
  batches: Array.from({ length: 10 }, () =>
    [
      [8, 6],
      [8, 7],
      [8, 6],
      [8, 7],
    ].map(numbers),
  ), // images, texts, their augmented views
  lr: 0.01,
  eps: 1e-3,
  weightDecay: 0.1,
};

/** The largest difference between two lists of tensors. */
const gap = (a: unknown, b: unknown): number => {
  const [one, other] = [a, b].map((list) => (list as number[][]).flat(2));
  return one.reduce((largest, value, i) => Math.max(largest, Math.abs(value - other[i])), 0);
};

test("two ranks of ours against two of torch's DistributedDataParallel: the weights after ten steps", async () => {
  const store = await torch.distributed.TCPStore.create({ host: '127.0.0.1', port: 0, isMaster: true });
  const [torchs] = (await Promise.all(
    [0, 1].map((rank) => pythonRank('losses_over_ranks.py', rank, store.port, given)),
  )) as Record<string, unknown>[];
  store.close();
  const modes = [{}, { gatherWithGrad: true }, { gatherWithGrad: true, localLoss: true }];
  const [reference, exact, local] = await valuesOf(
    2,
    modes.map((mode) => ['trainTowers', given, mode]),
  );
  for (const rank of [0, 1]) {
    expect(gap(reference[rank], torchs.reference)).toBeLessThan(1e-6);
    expect(gap(exact[rank], torchs.exact)).toBeLessThan(1e-6);
    expect(gap(local[rank], torchs.exact)).toBeLessThan(1e-6);
  }
  expect(gap(torchs.reference, torchs.exact)).toBeGreaterThan(1e-3); // they tell one another apart
  expect(gap(torchs.exact, Object.values(given.weights))).toBeGreaterThan(1e-2); // they have learnt
}, 240_000);
