// `node scripts/scaling.mjs [--model RN50] [--gpu A100] [--ranks 512] …`: the tables of docs/scaling.md, what a step of many GPUs is expected to take.
// It takes the counted operations of a step, the gradients' order measured here (bench/distributed/profiles.json), and what data sheets promise.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import simulation from '../bench/distributed/simulate.js';
import { pairFlops } from '../bench/node/flops.mjs';

/** Operations a second dense in bf16 and in fp32 without TF32, bytes a second of the GPU's memory and of its NVLinks one way; of its node of 8, cores and bytes a second of the network cards. */
const GPUS = {
  A100: { bf16: 312e12, fp32: 19.5e12, memory: 2.0e12, nvlink: 300e9, cores: 128, network: 200e9 },
  H100: { bf16: 989e12, fp32: 67e12, memory: 3.35e12, nvlink: 450e9, cores: 112, network: 400e9 },
};
const IN_NODE = 8;
/** Seconds of a hop of NCCL's ring, as NCCL's own model has them. */
const HOP = { nvlink: 3.4e-6, network: 14e-6 };
/** Shares of those promises that are reached: of bf16 by a whole step, of fp32 by large products, of memory and links by what only moves bytes. */
const REACHED = { bf16: 0.2, fp32: 0.7, bytes: 0.8 };
/** Of a 500×375 JPEG of quality 90: CPU seconds to decode, resize and crop it (bench/RESULTS.md), and bytes. */
const IMAGE = { decode: 1.57e-3, bytes: 100e3 };
const TOKENS = 77;

const { values } = parseArgs({
  options: {
    model: { type: 'string', multiple: true, default: ['RN50', 'ViT-B/32'] },
    gpu: { type: 'string', multiple: true, default: Object.keys(GPUS) },
    ranks: { type: 'string', multiple: true, default: ['1', '8', '64', '512'] },
    pairs: { type: 'string', default: '128' },
    bucket_cap_mb: { type: 'string', default: '25' },
    local_loss: { type: 'boolean', default: false },
    network: { type: 'string' }, // GB a second and node
    utilisation: { type: 'string', default: String(REACHED.bf16) },
  },
});
const profiles = JSON.parse(readFileSync(new URL('../bench/distributed/profiles.json', import.meta.url), 'utf8'));
const pairs = Number(values.pairs);

console.log(`| model | GPU | ranks | step | efficiency | pairs a second | model | loss | exchange alone | of it hidden | loss's matrices | images a second and node | cores to decode | storage |`);
console.log(`|${' --- |'.repeat(14)}`);
for (const model of values.model) {
  for (const gpu of values.gpu) {
    const alone = expect(model, GPUS[gpu], 1).step;
    for (const ranks of values.ranks.map(Number)) console.log(row(model, gpu, ranks, alone));
  }
}

function row(model, gpu, ranks, alone) {
  const { step, exchange, overlap, compute, loss } = expect(model, GPUS[gpu], ranks);
  const images = (Math.min(ranks, IN_NODE) * pairs) / step;
  return `| ${[
    model, gpu, ranks, ms(step), `${Math.round((100 * alone) / step)}%`, Math.round((ranks * pairs) / step).toLocaleString('en'), ms(compute), ms(loss.seconds),
    ms(exchange), ranks === 1 ? '' : `${Math.round(100 * overlap)}%`, `${(loss.bytes / 2 ** 30).toFixed(loss.bytes < 2 ** 30 ? 2 : 0)} GiB`,
    Math.round(images).toLocaleString('en'), Math.ceil(images * IMAGE.decode), `${((images * IMAGE.bytes) / 1e9).toFixed(1)} GB/s`,
  ].join(' | ')} |`;
}

/** A step of so many ranks, each a GPU. */
function expect(model, gpu, ranks) {
  const profile = profiles[model];
  const compute = (pairs * pairFlops(model, TOKENS)) / (gpu.bf16 * Number(values.utilisation));
  const whole = profile.buckets.at(-1).at;
  const backward = (compute * whole) / (profile.forward + whole);
  const loss = lossOf(ranks * pairs, profile.embedDim, gpu);
  const lossBackward = (2 / 3) * loss.seconds;
  const gradients = profile.buckets.reduce((sum, { bytes }) => sum + bytes, 0);
  const work = {
    forward: compute - backward + loss.seconds - lossBackward,
    backward: lossBackward + backward,
    optimizer: (7 * gradients) / (gpu.memory * REACHED.bytes), // four values read and three written for each parameter
    buckets: merged(profile.buckets, Number(values.bucket_cap_mb) * 2 ** 20).map(({ bytes, at }) => ({ bytes, at: lossBackward + (at / whole) * backward })),
    features: 2 * 4 * pairs * profile.embedDim,
    featureGradients: values.local_loss,
    buffers: profile.buffers,
    data: (Math.min(ranks, IN_NODE) * pairs * IMAGE.decode) / gpu.cores,
  };
  return { ...simulation.simulateStep(work, { ranks, link: linkOf(gpu, ranks), cores: Infinity }), compute, loss };
}

/** One ring through all GPUs crosses each node's network cards once, and every other hop is an NVLink. */
function linkOf(gpu, ranks) {
  const network = values.network === undefined ? gpu.network : Number(values.network) * 1e9;
  if (ranks <= IN_NODE) return { bandwidth: gpu.nvlink * REACHED.bytes, latency: HOP.nvlink, cores: 0 };
  return { bandwidth: Math.min(gpu.nvlink, network) * REACHED.bytes, latency: ((IN_NODE - 1) * HOP.nvlink + HOP.network) / IN_NODE, cores: 0 };
}

/**
 * Forward and backward of the contrastive loss of N pairs in fp32, and the bytes of its matrices. The full one is [N, N], read or written some 15 times and there 5 times at
 * once (logits, two softmaxes, two gradients); the local ones are two of [own pairs, N], each with one softmax and one gradient.
 */
function lossOf(all, features, gpu) {
  const [entries, passes, copies] = values.local_loss ? [2 * pairs * all, 8, 3] : [all * all, 15, 5];
  const seconds = (6 * entries * features) / (gpu.fp32 * REACHED.fp32) + (4 * passes * entries) / (gpu.memory * REACHED.bytes);
  return { seconds, bytes: 4 * copies * entries };
}

/** Buckets filled up to so many bytes; those of the profile are of 25 MiB, but for the first and for parameters that are larger. */
function merged(buckets, most) {
  return buckets.reduce((done, bucket, i) => {
    const last = done.at(-1);
    if (i > 1 && last.bytes < most && last.bytes + bucket.bytes <= most) return [...done.slice(0, -1), { bytes: last.bytes + bucket.bytes, at: bucket.at }];
    return [...done, bucket];
  }, []);
}

function ms(seconds) {
  return seconds >= 1 ? `${seconds.toFixed(2)} s` : `${(1000 * seconds).toFixed(seconds < 0.01 ? 1 : 0)} ms`;
}
