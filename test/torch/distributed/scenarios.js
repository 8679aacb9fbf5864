// What the ranks of the tests do, by name: (what rank.js gives, ...arguments) => value to send to the test.
const { clearInterval, setInterval } = require('node:timers');
const { setTimeout: sleep } = require('node:timers/promises');
const { Worker } = require('node:worker_threads');

const { addon } = require('../../../dist/torch/addon');
const { batchOf, lossOf, modelOf, optimizerOf, weightsOf } = require('./models');
const { refusal } = require('./refusal');

/** Numbers that differ from rank to rank. */
const numbersOf = (torch, rank, shape, dtype) =>
  torch
    .randn(shape, { generator: new torch.Generator(rank) })
    .mul(4)
    .to(dtype);

async function sumBy(torch, distributed, options) {
  await distributed.initProcessGroup(options);
  const tensor = torch.tensor([distributed.getRank() + 1]);
  await distributed.allReduce(tensor);
  return tensor.item();
}

const insteadOfBackward = {
  /** until the test ends or stops the process */
  waits: () => new Promise(() => {}),
  /** its thread is busy until the test stops the process, and others of its process are not */
  hangs: () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000),
  fails: async (distributed) => {
    const error = new Error('there are 3 pixels where 4 were expected.');
    await distributed.announceFailure(error);
    throw error;
  },
};

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
    const all = await distributed.allGatherObject({
      rank: own,
      text: 'ä'.repeat(own),
      map: new Map([[own, new Date(own)]]),
    });
    return all.map(({ rank, text, map }) => [rank, text, map.get(rank).getTime()]);
  },

  facts: async ({ distributed }) => {
    await distributed.barrier(); // until then others may need the store, which rank 0 takes with it
    return [distributed.isInitialized(), distributed.getRank(), distributed.getWorldSize(), distributed.getBackend()];
  },

  /** Timers go on while a collective waits for the slowest rank. */
  free: async ({ distributed, rank }) => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 10);
    if (rank === 1) await sleep(500);
    await distributed.barrier();
    clearInterval(timer);
    return ticks;
  },

  /** In a group on GPUs, which only machines with one have. */
  byNccl: async ({ torch, distributed, timeout }) => {
    await distributed.initProcessGroup({ backend: 'nccl', timeout });
    const tensor = torch.tensor([3]).to('cuda');
    await distributed.allReduce(tensor);
    const all = await distributed.allGather(tensor);
    return [tensor.item(), all.map((each) => each.item())];
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
      const worker = new Worker(
        `
        const { parentPort, workerData } = require('node:worker_threads');
        const { torch } = require(workerData.library);
        const { distributed } = torch;
        void (async () => {
          await distributed.initProcessGroup(workerData.group);
          const tensor = torch.tensor([workerData.group.rank + 1]);
          await distributed.allReduce(tensor);
          await distributed.destroyProcessGroup();
          parentPort.postMessage(tensor.item());
        })();`,
        { eval: true, workerData: { library: require.resolve('../../../dist'), group } },
      );
      worker.once('message', resolve);
      worker.once('error', reject);
    }),

  /** The thread of the group is ended while a collective waits in it. */
  workerEnded: async ({ group }) => {
    const worker = new Worker(
      `
      const { parentPort, workerData } = require('node:worker_threads');
      const { torch } = require(workerData.library);
      void (async () => {
        await torch.distributed.initProcessGroup(workerData.group);
        const late = () => new Promise((resolve) => setTimeout(resolve, 60_000));
        const waiting = workerData.group.rank === 0 ? torch.distributed.barrier() : late();
        parentPort.postMessage('waiting');
        await waiting;
      })();`,
      { eval: true, workerData: { library: require.resolve('../../../dist'), group } },
    );
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

  /** A rank says when it is about to be in a collective; the test then does something to it. */
  hit: async ({ torch, distributed, rank }, victim = 1) => {
    const tensor = torch.ones([1 << 16]);
    for (let i = 0; ; i++) {
      await distributed.allReduce(tensor, { op: 'mean' });
      if (i === 3 && rank === victim) process.send('now');
    }
  },

  absent: async ({ torch, distributed, rank }) => {
    if (rank === 1) await sleep(60_000);
    else await distributed.allReduce(torch.ones([1]));
  },

  mismatch: async ({ torch, distributed, rank }) => distributed.allReduce(torch.ones([rank + 1])),

  noMessage: ({ torch, distributed, rank }) => (rank === 0 ? distributed.recv(torch.ones([1]), 1) : sleep(60_000)),

  refusals: async ({ torch, distributed, rank }) => {
    return [
      await refusal(() => distributed.allReduce(torch.ones([2, 3]).t())),
      await refusal(() => distributed.allReduce(torch.tensor([1n]), { op: 'mean' })),
      await refusal(() => distributed.allReduce(torch.ones([1]), { op: 'median' })),
      await refusal(() => distributed.allReduce(torch.empty([1], { device: 'meta' }))),
      await refusal(() => distributed.reduceScatter(torch.ones([3]))),
      await refusal(() => distributed.broadcast(torch.ones([1]), { src: -1 })),
      await refusal(() => distributed.send(torch.ones([1]), rank)),
      await refusal(() => distributed.initProcessGroup()),
      await refusal(() => {
        const disposed = torch.ones([1]);
        disposed.dispose();
        return distributed.allReduce(disposed);
      }),
    ];
  },

  /** Trains on this rank's rows of each batch; all but the last of `accumulate` batches a step without exchange. */
  train: async ({ torch, distributed, rank, worldSize }, name, options, steps, rows, accumulate) => {
    const model = modelOf(torch, name, rank);
    const parallel = await distributed.DistributedDataParallel.create(model, options);
    const optimizer = optimizerOf(model);
    for (let step = 0; step < steps; step++) {
      const backward = (part) => {
        const batch = batchOf(torch, name, step * accumulate + part, worldSize * rows);
        const own = batch.map((tensor) => tensor.narrow(0, rank * rows, rows));
        parallel.backward(lossOf(model, parallel.forward(...own)));
      };
      parallel.noSync(() => {
        for (let part = 0; part < accumulate - 1; part++) backward(part);
      });
      backward(accumulate - 1);
      optimizer.step();
      optimizer.zeroGrad();
    }
    parallel.dispose();
    return weightsOf(model);
  },

  parallelFacts: async ({ torch, distributed, rank }) => {
    const { DistributedDataParallel } = distributed;
    const model = modelOf(torch, 'resnet', rank);
    const buffer = model.stateDict()['visual.bn1.running_mean'];
    const forward = (parallel) => {
      buffer.fill_(rank + 1);
      parallel.forward(...batchOf(torch, 'resnet', 0, 2));
      return buffer.mean().item();
    };
    buffer.fill_(rank);
    const parallel = await DistributedDataParallel.create(model);
    const begins = { buffer: buffer.mean().item(), weights: weightsOf(model) };
    parallel.backward(lossOf(model, parallel.forward(...batchOf(torch, 'resnet', rank, 2))));
    const [one, other] = ['ln_final.weight', 'ln_final.bias'].map((name) => model.stateDict()[name].grad.storageKey);
    const buffers = { withoutGradients: torch.noGrad(() => forward(parallel)), wanted: forward(parallel) };
    parallel.dispose();
    const unwanting = await DistributedDataParallel.create(model, { broadcastBuffers: false });
    buffers.notWanted = forward(unwanting);
    unwanting.dispose();

    const x = torch.ones([1], { requiresGrad: true });
    const line = { namedParameters: () => [['x', x]], stateDict: () => ({ x }), forward: (by) => x.mul(by) };
    (await DistributedDataParallel.create(line)).dispose();
    line.forward(rank).backward();
    return {
      begins,
      buffers,
      views: one === other,
      alone: x.grad.item(),
      refused: [
        await refusal(() => DistributedDataParallel.create(model, { bucketCapMb: 0 })),
        await refusal(() => DistributedDataParallel.create({ namedParameters: () => [], stateDict: () => ({}) })),
      ],
    };
  },

  /** Scaled steps of a line, of which the second overflows on the last rank alone: what every rank has after each. */
  scaled: async ({ torch, distributed, rank, worldSize }) => {
    const x = torch.ones([1], { requiresGrad: true });
    const line = { namedParameters: () => [['x', x]], stateDict: () => ({ x }), forward: (by) => x.mul(by) };
    const parallel = await distributed.DistributedDataParallel.create(line);
    const [optimizer, scaler] = [optimizerOf(line), new torch.GradScaler({ device: 'cpu' })];
    const after = [1, rank === worldSize - 1 ? 1e38 : 1, 1].map((slope) => {
      parallel.backward(scaler.scale(parallel.forward(slope)).sum());
      scaler.step(optimizer);
      scaler.update();
      optimizer.zeroGrad();
      return [x.item(), scaler.getScale()];
    });
    parallel.dispose();
    return after;
  },

  differentModels: ({ torch, distributed, rank }) =>
    distributed.DistributedDataParallel.create(modelOf(torch, rank === 0 ? 'vit' : 'uneven', 0)),

  /** At the fourth step a rank does something else than backward. */
  backwardWithout: async ({ torch, distributed, rank }, victim, instead) => {
    const model = modelOf(torch, 'vit', 0);
    const parallel = await distributed.DistributedDataParallel.create(model);
    for (let step = 0; ; step++) {
      const loss = lossOf(model, parallel.forward(...batchOf(torch, 'vit', step, 2)));
      if (step === 3 && rank === victim) {
        process.send('now');
        await insteadOfBackward[instead](distributed);
      }
      parallel.backward(loss);
    }
  },

  /** A rank leaves in good order while the others go on. */
  leaves: async ({ torch, distributed, rank }) => {
    await distributed.allReduce(torch.ones([1]));
    if (rank === 1) return distributed.destroyProcessGroup();
    for (;;) await distributed.allReduce(torch.ones([1]));
  },

  /** One rank has no heartbeat, as those of another library; it ends within a collective. */
  noHeartbeat: async ({ torch, distributed, rank, worldSize, timeout }) => {
    const { MASTER_ADDR: host, MASTER_PORT } = process.env;
    if (rank !== 1) return sumBy(torch, distributed, { timeout }).then(() => distributed.allReduce(torch.ones([1])));
    const store = await distributed.TCPStore.create({ host, port: Number(MASTER_PORT), timeout });
    const group = await addon().createGroup(store.native, 'gloo', rank, worldSize, timeout, '', host);
    await addon().allReduce(group, torch.tensor([2]).handle, 'sum');
    return process.kill(process.pid, 'SIGKILL');
  },

  /**
   * One rank comes to a reduction when it has the objects, the others at once; then many objects at once, of many
   * lengths.
   */
  objectsAtOnce: async ({ torch, distributed, rank }) => {
    const text = distributed.allGatherObject('ab'.repeat(1 + rank));
    if (rank === 0) await text;
    const tensor = torch.full([3], rank + 1);
    const sum = distributed.allReduce(tensor);
    const numbers = Array.from({ length: 4 }, (_, i) =>
      distributed.allGatherObject(Array(1 + ((7 * i + 5 * rank) % 9)).fill(i)),
    );
    const refused = await refusal(() => distributed.broadcastCoalesced([tensor]));
    const all = [await text, ...(await Promise.all(numbers))];
    await sum;
    return [all, tensor.toArray(), refused];
  },
};
