// What the ranks of the tests do, by name: (what rank.js gives, ...arguments) => value to send to the test.
const { clearInterval, setInterval } = require('node:timers');
const { setTimeout: sleep } = require('node:timers/promises');
const { Worker } = require('node:worker_threads');

/** Numbers that differ from rank to rank. */
const numbersOf = (torch, rank, shape, dtype) => torch.randn(shape, { generator: new torch.Generator(rank) }).mul(4).to(dtype);

async function sumBy(torch, distributed, options) {
  await distributed.initProcessGroup(options);
  const tensor = torch.tensor([distributed.getRank() + 1]);
  await distributed.allReduce(tensor);
  return tensor.item();
}

module.exports = {
  reduce: async ({ torch, distributed, rank }, dtype, op, shape) => {
    const tensor = numbersOf(torch, rank, shape, dtype);
    await distributed.allReduce(tensor, { op });
    return tensor.toArray();
  },

  gather: async ({ torch, distributed, rank }, dtype, shape) => {
    const all = await distributed.allGather(numbersOf(torch, rank, shape, dtype));
    return all.map((tensor) => tensor.toArray());
  },

  scatter: async ({ torch, distributed, rank }, dtype, op, shape) =>
    (await distributed.reduceScatter(numbersOf(torch, rank, shape, dtype), { op })).toArray(),

  broadcast: async ({ torch, distributed, rank }, src) => {
    const tensor = numbersOf(torch, rank, [3, 2], 'float32');
    await distributed.broadcast(tensor, { src });
    return tensor.toArray();
  },

  ring: async ({ torch, distributed, rank, worldSize }) => {
    const [next, before] = [(rank + 1) % worldSize, (rank + worldSize - 1) % worldSize];
    const [first, second] = [torch.zeros([1]), torch.zeros([1])];
    // Received in the other order: the tags tell them apart.
    const received = [distributed.recv(second, before, { tag: 2 }), distributed.recv(first, before, { tag: 1 })];
    await distributed.send(torch.tensor([rank]), next, { tag: 1 });
    await distributed.send(torch.tensor([rank + 10]), next, { tag: 2 });
    await Promise.all(received);
    return [first.item(), second.item()];
  },

  objects: async ({ distributed, rank: own }) => {
    const all = await distributed.allGatherObject({ rank: own, text: 'ä'.repeat(own), map: new Map([[own, new Date(own)]]) });
    return all.map(({ rank, text, map }) => [rank, text, map.get(rank).getTime()]);
  },

  facts: ({ distributed }) => [distributed.isInitialized(), distributed.getRank(), distributed.getWorldSize(), distributed.getBackend()],

  /** Timers go on while a collective waits for the slowest rank. */
  free: async ({ distributed, rank }) => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 10);
    if (rank === 1) await sleep(500);
    await distributed.barrier();
    clearInterval(timer);
    return ticks;
  },

  byEnvironment: ({ torch, distributed, timeout }) => sumBy(torch, distributed, { timeout }),

  byStore: async ({ torch, distributed, rank, worldSize, timeout }, port) => {
    const store = await distributed.TCPStore.create({ host: '127.0.0.1', port, timeout });
    return sumBy(torch, distributed, { store, rank, worldSize, timeout });
  },

  /** Many at once, in the order of the calls. */
  many: async ({ torch, distributed, rank }) => {
    const tensors = Array.from({ length: 20 }, (_, i) => torch.tensor([rank * 100 + i]));
    await Promise.all(tensors.map((tensor) => distributed.allReduce(tensor)));
    return tensors.map((tensor) => tensor.item());
  },

  /** The group lives in a worker thread, as that of a job does. */
  inWorker: ({ group }) =>
    new Promise((resolve, reject) => {
      const worker = new Worker(`
        const { parentPort, workerData } = require('node:worker_threads');
        const { torch } = require(workerData.library);
        const { distributed } = torch;
        void (async () => {
          await distributed.initProcessGroup(workerData.group);
          const tensor = torch.tensor([workerData.group.rank + 1]);
          await distributed.allReduce(tensor);
          await distributed.destroyProcessGroup();
          parentPort.postMessage(tensor.item());
        })();`, { eval: true, workerData: { library: require.resolve('../../../dist'), group } });
      worker.once('message', resolve);
      worker.once('error', reject);
    }),

  /** The thread of the group is ended while a collective waits in it. */
  workerEnded: async ({ group }) => {
    const worker = new Worker(`
      const { parentPort, workerData } = require('node:worker_threads');
      const { torch } = require(workerData.library);
      void (async () => {
        await torch.distributed.initProcessGroup(workerData.group);
        const waiting = workerData.group.rank === 0 ? torch.distributed.barrier() : new Promise((resolve) => setTimeout(resolve, 60_000));
        parentPort.postMessage('waiting');
        await waiting;
      })();`, { eval: true, workerData: { library: require.resolve('../../../dist'), group } });
    await new Promise((resolve) => worker.once('message', resolve));
    await sleep(100);
    return worker.terminate();
  },

  again: async ({ torch, distributed, group }, secondMethod) => {
    await distributed.barrier();
    await distributed.destroyProcessGroup();
    const between = distributed.isInitialized();
    await distributed.initProcessGroup({ ...group, initMethod: secondMethod });
    const tensor = torch.ones([1]);
    await distributed.allReduce(tensor);
    return [between, tensor.item()];
  },

  /** Ends while a collective waits, without leaving the group. */
  exit: async ({ distributed, rank }) => {
    await distributed.barrier();
    if (rank === 0) void distributed.barrier().catch(() => {});
    else await sleep(500);
    process.exit(3);
  },

  keepGroup: async ({ distributed }) => {
    await distributed.barrier();
    distributed.isInitialized = () => false; // so that rank.js leaves it as it is
  },

  /** Rank 1 says when it is about to be in a collective; the test then does something to it. */
  hit: async ({ torch, distributed, rank }) => {
    const tensor = torch.ones([1 << 16]);
    for (let i = 0; ; i++) {
      await distributed.allReduce(tensor, { op: 'mean' });
      if (i === 3 && rank === 1) process.send('now');
    }
  },

  absent: async ({ torch, distributed, rank }) => {
    if (rank === 1) await sleep(3000);
    else await distributed.allReduce(torch.ones([1]));
  },

  mismatch: async ({ torch, distributed, rank }) => distributed.allReduce(torch.ones([rank + 1])),

  noMessage: ({ torch, distributed, rank }) => (rank === 0 ? distributed.recv(torch.ones([1]), 1) : sleep(2000)),

  refusals: async ({ torch, distributed, rank }) => {
    const refused = async (start) => {
      try {
        await start();
        return 'accepted';
      } catch ({ code, message }) {
        return `${code}: ${message}`;
      }
    };
    return [
      await refused(() => distributed.allReduce(torch.ones([2, 3]).t())),
      await refused(() => distributed.allReduce(torch.tensor([1n]), { op: 'mean' })),
      await refused(() => distributed.allReduce(torch.ones([1]), { op: 'median' })),
      await refused(() => distributed.allReduce(torch.empty([1], { device: 'meta' }))),
      await refused(() => distributed.reduceScatter(torch.ones([3]))),
      await refused(() => distributed.broadcast(torch.ones([1]), { src: -1 })),
      await refused(() => distributed.send(torch.ones([1]), rank)),
      await refused(() => distributed.initProcessGroup()),
      await refused(() => {
        const disposed = torch.ones([1]);
        disposed.dispose();
        return distributed.allReduce(disposed);
      }),
    ];
  },
};
