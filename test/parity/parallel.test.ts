import { type Tensor, torch } from '../../src/torch';
import type { Store } from '../../src/torch/distributed';
import { pythonRank } from './python_rank';

const { distributed } = torch;
const LR = 0.1;

const numbers = (seed: number, shape: number[]): Tensor => torch.randn(shape, { generator: new torch.Generator(seed) });
const weights = { first: numbers(1, [6, 5]), second: numbers(2, [5, 4]) };
const batches = [3, 4, 5, 6].map((seed) => numbers(seed, [8, 6]));

/** A rank of torch's DistributedDataParallel; its weights at the end. */
const torchRank = (rank: number, port: number, own: typeof weights): Promise<unknown> =>
  pythonRank('parallel.py', rank, port, {
    first: own.first.toArray(),
    second: own.second.toArray(),
    batches: batches.map((batch) => batch.toArray()),
    lr: LR,
  });

/** A rank of ours in this process. */
async function ownRank(store: Store): Promise<unknown> {
  await distributed.initProcessGroup({ store, rank: 0, worldSize: 2, timeout: 110_000 });
  const [first, second] = [weights.first.clone(), weights.second.clone()];
  for (const parameter of [first, second]) parameter.requiresGrad = true;
  const parallel = await distributed.DistributedDataParallel.create({
    namedParameters: (): [string, Tensor][] => [
      ['first', first],
      ['second', second],
    ],
    stateDict: () => ({ first, second }),
    forward: (x: Tensor) => x.mm(first).tanh().mm(second),
  });
  for (const batch of batches) {
    parallel.backward(parallel.forward(batch.chunk(2)[0]).pow(2).mean());
    torch.noGrad(() => [first, second].forEach((parameter) => parameter.sub_(parameter.grad!.mul(LR))));
    first.grad = second.grad = null;
  }
  await distributed.barrier();
  await distributed.destroyProcessGroup();
  return [first.toArray(), second.toArray()];
}

const close = (actual: unknown, expected: unknown): void => {
  const [a, b] = [actual, expected].map((layers) => (layers as number[][][]).map((layer) => torch.tensor(layer)));
  a.forEach((layer, i) => expect(layer.sub(b[i]).abs().max().item()).toBeLessThan(1e-6));
};

test("a rank of ours and one of torch's DistributedDataParallel in one group, against two of torch's", async () => {
  const otherWeights = { first: numbers(7, [6, 5]), second: numbers(8, [5, 4]) }; // replaced by those of rank 0
  const store = await distributed.TCPStore.create({ host: '127.0.0.1', port: 0, isMaster: true });
  const [torchs] = await Promise.all([torchRank(0, store.port, weights), torchRank(1, store.port, otherWeights)]);
  store.close();
  const second = await distributed.TCPStore.create({ host: '127.0.0.1', port: 0, isMaster: true });
  const [ours, mixed] = await Promise.all([ownRank(second), torchRank(1, second.port, otherWeights)]);
  second.close();
  close(ours, torchs);
  close(mixed, torchs);
  expect(() => close([weights.first.toArray(), weights.second.toArray()], torchs)).toThrow(); // they have learnt
}, 240_000);
