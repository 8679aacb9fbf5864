// A rank of ours. ranks.mjs starts it; rank.py does the same with torch's DistributedDataParallel.
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';

import cleanclip from '../../dist/index.js';
import { makeOptimizer } from '../../dist/training/optimizer.js';
import { bucketsOf } from './buckets.mjs';

const { torch } = cleanclip;
const { distributed } = torch;
const LOSS_PAIRS = 4096; // pairs whose loss tells how its time grows with their square
const recipe = { lr: 1e-5, beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0.1 };

let clip, parallel, optimizer, batch;

const actions = {
  /** Joins the group, and makes the first step. */
  async open({ folder }) {
    await distributed.initProcessGroup();
    clip = cleanclip.loadClip(join(folder, 'model.pt'));
    parallel = await distributed.DistributedDataParallel.create(clip);
    optimizer = makeOptimizer(clip, recipe);
    batch = torch.load(join(folder, 'batch.pt'));
    const rows = torch.tidy(() => rowsOf(2));
    return { loss: await step(rows, true, { forward: 0, backward: 0, optimizer: 0 }) };
  },

  /**
   * Does `count` steps on `pairs` pairs per rank; without `exchange`, each rank alone. Returns mean seconds per step,
   * and `cpu`, those of all threads of this process.
   */
  async steps({ pairs, count, exchange }) {
    const rows = torch.tidy(() => rowsOf(pairs));
    const spent = { forward: 0, backward: 0, optimizer: 0 };
    await distributed.barrier();
    const [start, before] = [performance.now(), process.cpuUsage()];
    for (let i = 0; i < count; i++) await step(rows, exchange, spent);
    const seconds = (performance.now() - start) / 1000 / count;
    const { user, system } = process.cpuUsage(before);
    Object.values(rows).forEach((tensor) => tensor.dispose());
    const cpu = (user + system) / 1e6 / count;
    return {
      seconds,
      cpu,
      ...Object.fromEntries(Object.entries(spent).map(([phase, ms]) => [phase, ms / 1000 / count])),
    };
  },

  /**
   * Does all-reduces of `sizes` bytes, all started at once, as those of buckets are. Returns mean seconds per round.
   */
  async exchange({ sizes, count }) {
    const tensors = sizes.map((bytes) => torch.zeros([bytes / 4]));
    const once = () => Promise.all(tensors.map((tensor) => distributed.allReduce(tensor)));
    await once();
    await distributed.barrier();
    const start = performance.now();
    for (let i = 0; i < count; i++) await once();
    const seconds = (performance.now() - start) / 1000 / count;
    tensors.forEach((tensor) => tensor.dispose());
    return { seconds };
  },

  /**
   * Returns the bytes that a step exchanges, when each bucket is ready in the backward of one process on `pairs` pairs,
   * and how long a large loss takes. Times are seconds of CPU, which do not depend on other load. Disposes of the
   * parallel model.
   */
  profile({ pairs, repeats }) {
    const rows = torch.tidy(() => rowsOf(pairs));
    const lossOf = ({ imageEmbeds, textEmbeds }) =>
      cleanclip.contrastiveLoss(imageEmbeds, textEmbeds, clip.logitScale.exp());
    const buckets = torch.tidy(() => {
      parallel.backward(lossOf(parallel.forward(rows.ids, rows.pixels)));
      return bucketsOf(clip.namedParameters());
    });
    parallel.dispose();
    optimizer.zeroGrad();
    const measure = () =>
      torch.tidy(() => {
        const [loss, forward] = cpuSeconds(() => lossOf(clip.forward(rows.ids, rows.pixels)));
        const [, backward] = cpuSeconds(() => loss.backward());
        optimizer.zeroGrad();
        return { forward, backward };
      });
    const state = Object.entries(clip.stateDict());
    const parameters = clip.namedParameters().map(([name, parameter]) => {
      parameter.requiresGrad = false;
      return name;
    });
    const rounds = buckets.map((bucket) => {
      // This backward computes the gradients up to this bucket, and no others.
      bucket.forEach((parameter) => (parameter.requiresGrad = true));
      return Array.from({ length: repeats }, measure);
    });
    const least = (phase, all) => Math.min(...all.map((round) => round[phase]));
    const readyBy = (bucket) => least('backward', rounds.slice(bucket).flat()); // at the latest when later ones are
    return {
      embedDim: clip.config.embedDim,
      buffers: bytesOf(state.filter(([name]) => !parameters.includes(name)).map(([, buffer]) => buffer)),
      forward: least('forward', rounds.flat()),
      buckets: buckets.map((bucket, i) => ({ bytes: bytesOf(bucket), at: readyBy(i) })),
      loss: { pairs: LOSS_PAIRS, seconds: Math.min(...Array.from({ length: repeats }, lossSeconds)) },
    };
  },

  async close() {
    await distributed.barrier();
    await distributed.destroyProcessGroup();
    return {};
  },
};

/** Returns the result of a function, and the seconds of CPU that it takes. */
function cpuSeconds(fn) {
  const before = process.cpuUsage();
  const result = fn();
  const { user, system } = process.cpuUsage(before);
  return [result, (user + system) / 1e6];
}

/** Returns the seconds of CPU of the loss of many pairs, with its backward. */
const lossSeconds = () =>
  torch.tidy(() => {
    const features = [1, 2].map((seed) =>
      torch.randn([LOSS_PAIRS, clip.config.embedDim], { generator: new torch.Generator(seed) }).div_(10),
    );
    for (const tensor of features) tensor.requiresGrad = true;
    const [, seconds] = cpuSeconds(() => cleanclip.contrastiveLoss(...features, torch.ones([])).backward());
    return seconds;
  });

const bytesOf = (tensors) =>
  tensors.reduce(
    (sum, { shape, dtype }) => sum + (dtype === 'int64' ? 8 : 4) * shape.reduce((product, size) => product * size, 1),
    0,
  );

/** Returns the rows of this rank when each rank has `pairs` rows. */
function rowsOf(pairs) {
  const rows = (tensor) => tensor.narrow(0, distributed.getRank() * pairs, pairs);
  return { ids: rows(batch.ids).clone(), pixels: cleanclip.normalize(rows(batch.pixels)) };
}

/**
 * Does a step as the reference does: the loss is that of all ranks' pairs, and only this rank's features carry a
 * gradient. Adds the milliseconds of each phase to `spent`. Returns the loss.
 */
async function step({ ids, pixels }, exchange, spent) {
  const forward = () => torch.tidy(() => Object.values(parallel.forward(ids, pixels)));
  const marks = [performance.now()];
  const own = exchange ? forward() : parallel.noSync(forward);
  const gathered = exchange ? await Promise.all(own.map((embeds) => distributed.allGather(embeds))) : own.map(() => []);
  marks.push(performance.now());
  const loss = torch.tidy(() => {
    const [images, texts] = gathered.map((parts, i) =>
      torch.cat(exchange ? parts.with(distributed.getRank(), own[i]) : [own[i]]),
    );
    const value = cleanclip.contrastiveLoss(images, texts, clip.logitScale.exp());
    parallel.backward(value);
    return value.item();
  });
  [...own, ...gathered.flat()].forEach((tensor) => tensor.dispose());
  marks.push(performance.now());
  torch.tidy(() => {
    optimizer.step();
    optimizer.zeroGrad();
    torch.noGrad(() => clip.logitScale.clamp_(0, 4.6052));
  });
  marks.push(performance.now());
  ['forward', 'backward', 'optimizer'].forEach((phase, i) => (spent[phase] += marks[i + 1] - marks[i]));
  return loss;
}

for await (const line of createInterface({ input: process.stdin })) {
  const { action, ...args } = JSON.parse(line);
  console.log(JSON.stringify(await actions[action](args)));
}
