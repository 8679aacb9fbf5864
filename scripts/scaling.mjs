// `node scripts/scaling.mjs [--model RN50] [--gpu A100] [--ranks 512] …`: prints the table of docs/scaling.md, the time
// that a step of many GPUs is expected to take. It uses the counted operations of a step, the order of the gradients
// measured here (bench/distributed/profiles.json), and the numbers of data sheets.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import simulation from '../bench/distributed/simulate.js';
import { pairFlops } from '../bench/node/flops.mjs';

/**
 * bf16, fp32: dense operations per second (without TF32); memory: bytes per second of the GPU's memory; nvlink: bytes
 * per second and direction; cores: of its node of 8 GPUs; network: bytes per second and direction of all network cards
 * of the node.
 */
const GPUS = {
  A100: { bf16: 312e12, fp32: 19.5e12, memory: 2.0e12, nvlink: 300e9, cores: 128, network: 200e9 },
  H100: { bf16: 989e12, fp32: 67e12, memory: 3.35e12, nvlink: 450e9, cores: 112, network: 400e9 },
};
const IN_NODE = 8;
/** Seconds of a hop of NCCL's ring, from NCCL's own cost model. */
const HOP = { nvlink: 3.4e-6, network: 14e-6 };
/**
 * Bytes that a rank sends to the others before a step: its number of pairs, and whether to stop
 * (src/training/parallel.ts).
 */
const AGREEMENT = 8;
/**
 * Fractions of these peaks that are reached: of bf16 by the step of a model (docs/scaling.md gives the source), of fp32
 * by large products, of memory and links by work that only moves bytes.
 */
const REACHED = { bf16: 0.13, fp32: 0.7, bytes: 0.8 };
/** A 500×375 JPEG: CPU seconds to decode, resize and crop it (bench/RESULTS.md), and its bytes. */
const IMAGE = { decode: 1.57e-3, bytes: 40e3 };
const TOKENS = 77;
/** The most similarities of a block of the loss. */
const BLOCK = 2 ** 24;

const { values } = parseArgs({
  options: {
    model: { type: 'string', multiple: true, default: ['RN50', 'ViT-B/32'] },
    gpu: { type: 'string', multiple: true, default: Object.keys(GPUS) },
    ranks: { type: 'string', multiple: true, default: ['1', '8', '64', '512'] },
    pairs: { type: 'string', default: '128' }, // per rank
    bucket_cap_mb: { type: 'string', default: '0' }, // torch's: 25, and 1 for the first; only a larger value changes it
    network: { type: 'string' }, // GB per second and node, in place of the network cards above
    // µs that a small message takes between the CPUs of two ranks (bench/RESULTS.distributed.md)
    gloo_hop: { type: 'string', default: '268' },
    utilisation: { type: 'string', default: String(REACHED.bf16) },
  },
});
const profiles = JSON.parse(readFileSync(new URL('../bench/distributed/profiles.json', import.meta.url), 'utf8'));
const pairs = Number(values.pairs);

const HEAD = [
  'model',
  'GPU',
  'ranks',
  'full loss',
  'efficiency',
  'its matrices',
  'local loss',
  'efficiency',
  'pairs per second',
  'exchange',
  'hidden',
  'agreeing',
  'images per second and node',
  'cores',
  'read',
];
console.log(`| ${HEAD.join(' | ')} |\n|${' --- |'.repeat(HEAD.length)}`);
for (const model of values.model) {
  for (const gpu of values.gpu) for (const ranks of values.ranks.map(Number)) console.log(row(model, gpu, ranks));
}

function row(model, gpu, ranks) {
  const [full, local] = [false, true].map((localLoss) => expect(model, GPUS[gpu], ranks, localLoss));
  const alone = expect(model, GPUS[gpu], 1, false).step;
  const images = (Math.min(ranks, IN_NODE) * pairs) / local.step;
  const cells = [
    ...[model, gpu, ranks],
    ...[ms(full.step), percent(alone / full.step), `${(full.matrices / 1e9).toPrecision(2)} GB`],
    ...[ms(local.step), percent(alone / local.step), Math.round((ranks * pairs) / local.step).toLocaleString('en')],
    ...(ranks === 1 ? ['', '', ''] : [ms(local.exchange), percent(local.overlap), ms(local.agreement)]),
    ...[
      Math.round(images).toLocaleString('en'),
      Math.ceil(images * IMAGE.decode),
      `${((images * IMAGE.bytes) / 1e9).toFixed(1)} GB/s`,
    ],
  ];
  return `| ${cells.join(' | ')} |`;
}

/** Simulates a step of `ranks` GPUs; also returns the bytes of the loss's matrices. */
function expect(model, gpu, ranks, localLoss) {
  const profile = profiles[model];
  const compute = (pairs * pairFlops(model, TOKENS)) / (gpu.bf16 * Number(values.utilisation));
  const whole = profile.buckets.at(-1).at;
  const backward = (compute * whole) / (profile.forward + whole);
  const loss = lossOf(ranks * pairs, profile.embedDim, gpu, localLoss);
  const lossBackward = (2 / 3) * loss.seconds;
  const gradients = profile.buckets.reduce((sum, { bytes }) => sum + bytes, 0);
  const work = {
    forward: compute - backward + loss.seconds - lossBackward,
    backward: lossBackward + backward,
    optimizer: (7 * gradients) / (gpu.memory * REACHED.bytes), // reads four values and writes three per parameter
    buckets: merged(profile.buckets, Number(values.bucket_cap_mb) * 2 ** 20).map(({ bytes, at }) => ({
      bytes,
      at: lossBackward + (at / whole) * backward,
    })),
    features: 2 * 4 * pairs * profile.embedDim,
    featureGradients: localLoss,
    buffers: profile.buffers,
    agreement: AGREEMENT,
    data: (Math.min(ranks, IN_NODE) * pairs * IMAGE.decode) / gpu.cores,
  };
  const link = linkOf(gpu, ranks);
  const control = { ...link, latency: Number(values.gloo_hop) * 1e-6 };
  return { ...simulation.simulateStep(work, { ranks, link, control, cores: Infinity }), matrices: loss.bytes };
}

/** A ring through all GPUs crosses the network cards of each node once; every other hop is an NVLink. */
function linkOf(gpu, ranks) {
  const network = values.network === undefined ? gpu.network : Number(values.network) * 1e9;
  if (ranks <= IN_NODE) return { bandwidth: gpu.nvlink * REACHED.bytes, latency: HOP.nvlink, cores: 0 };
  return {
    bandwidth: Math.min(gpu.nvlink, network) * REACHED.bytes,
    latency: ((IN_NODE - 1) * HOP.nvlink + HOP.network) / IN_NODE,
    cores: 0,
  };
}

/**
 * Returns the seconds of forward and backward of the contrastive loss of N pairs in fp32, and the bytes of its
 * matrices. The full loss has matrices [N, N], in some 15 passes, with 5 alive at once (logits, two softmaxes, two
 * gradients). The local loss has two sets of [own pairs, N], each with logits, one softmax and one gradient. So has a
 * full loss of more than BLOCK similarities, which is computed in blocks of rows, one after another
 * (src/losses/contrastive.ts).
 */
function lossOf(all, features, gpu, local) {
  const blocks = !local && all * all > BLOCK;
  const entries = (local ? 2 * pairs : blocks ? 2 * all : all) * all;
  const [passes, alive] = local ? [8, 3 * entries] : blocks ? [8, 4 * BLOCK] : [15, 5 * entries];
  const seconds =
    (6 * entries * features) / (gpu.fp32 * REACHED.fp32) + (4 * passes * entries) / (gpu.memory * REACHED.bytes);
  return { seconds, bytes: 4 * alive };
}

/** Joins the measured buckets (25 MiB, and 1 MiB for the first) until each holds at least `enough` bytes. */
function merged(buckets, enough) {
  return buckets.reduce((done, bucket) => {
    const open = done.at(-1)?.bytes < enough ? done.pop() : { bytes: 0 };
    return [...done, { bytes: open.bytes + bucket.bytes, at: bucket.at }];
  }, []);
}

function ms(seconds) {
  return `${(1000 * seconds).toFixed(seconds < 0.01 ? 1 : 0)} ms`;
}

function percent(share) {
  return `${(100 * share).toFixed(0)}%`;
}
