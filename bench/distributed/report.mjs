// Renders the results as Markdown.
import { exponentOf } from '../slope.mjs';

const ms = (seconds) =>
  seconds >= 10 ? `${seconds.toFixed(1)} s` : `${(1000 * seconds).toFixed(seconds < 0.1 ? 1 : 0)} ms`;
const percent = (share) => `${(100 * share).toFixed(0)}%`;
const mib = (bytes) => `${(bytes / 2 ** 20).toFixed(bytes < 2 ** 20 ? 3 : 1)} MiB`;
const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
const nameOf = ({ model, worldSize, pairs }) => [model, worldSize, pairs];

const overlapHead = [
  ...['model', 'ranks', 'pairs per rank'],
  ...['backward alone', 'exchange alone', 'together', 'overlap'],
  ...['torch: alone', 'exchange', 'together', 'overlap'],
];
const validHead = [
  ...['model', 'ranks', 'pairs per rank'],
  ...['measured', 'expected', 'error', 'backward measured', 'expected'],
];

/**
 * Renders RESULTS.distributed.md from the results of measureDistributed, and from the simulation: `runs` of `validate`
 * and `more` of `extrapolate`.
 */
export function renderDistributed(results, simulated, { machine, versions, load }) {
  return `# Ranks, measured against torch's DistributedDataParallel

\`npm run bench -- distributed\` measures these tables anew. Both sides ran on ${machine}, with the same libtorch:
${versions}. Gloo ran on the loopback interface, with one OpenMP thread per rank: 4 and 8 ranks share 2 cores.
Both train the same weights on the same batches, with the reference's loss over the features of all ranks, AdamW by
libtorch's fused kernel, and gradients as views into their buckets of 25 MiB (1 MiB for the first). They were measured
in turn; of each value the best round counts. A ratio is ours ÷ theirs. The load was ${load.toFixed(1)} at the end.
\`tiny\` is the model of that name, \`medium\` one of 27 million parameters (bench/distributed/inputs.mjs).

## Step

${table(
  [
    'model',
    'ranks',
    'pairs per rank',
    'here',
    'torch',
    'ratio, wanted ≤ 1.00',
    'backward here',
    'torch',
    'ratio',
    'efficiency here',
    'torch',
  ],
  results.runs.map((run) => stepRow(run, results.runs)),
)}

Backward includes the loss and the exchange. Efficiency is that of more ranks: pairs per second and rank ÷ those of one
rank with as many pairs (weak scaling) or with all of them (strong). With one thread per rank, 2 cores allow 4 ranks
50%, and 8 ranks 25%.

${renderGrowthWithRanks(simulated)}
## Overlap of exchange and backward

${table(overlapHead, [...results.runs, results.cable].filter((run) => run?.exchange).map(overlapRow))}

Overlap is (alone + exchange − together) ÷ exchange. On the loopback interface the exchange keeps the cores busy that
compute, so a rank hides only the time in which its core would wait. Over the cable (two network namespaces,
their veth pair shaped by tc's tbf; needs root) the exchange waits, as over a network between machines.

## Bytes on the wire

${table(
  ['model', 'ranks', 'here, per rank and step', 'torch', 'expected', 'of gradients', 'features', 'buffers'],
  results.runs
    .filter(({ worldSize, weak }) => worldSize > 1 && weak)
    .map((run) => bytesRow(run, results.models[run.model])),
)}

The bytes are counted on the loopback interface, with headers. Expected: 2(W − 1)/W × gradients (ring), (W − 1) × the
features of a rank (ring), (W − 1)/W × buffers (tree), on average over the ranks.

## Start and end

${table(['ranks', 'start here', 'torch', 'ratio', 'end here', 'torch'], results.starts.map(startRow))}

\`tiny\`: the times from the first process to the first step of all, and from the request to leave until the last
process has ended.

## The trainer

${table(
  ['ranks', 'pairs per rank', 'step of cleanclip-train', 'efficiency', 'whole run'],
  results.trainer.map((run) => trainerRow(run, results.trainer)),
)}

\`cleanclip-train\` itself, \`tiny\` on real files, one loader thread per rank: decoding shares the cores too, and the
ranks agree on each step.

## Simulation

${table(validHead, simulated.runs.map(validRow))}

[docs/scaling.md](../docs/scaling.md) describes the simulation. The link was measured separately:
${linkText(results.link)}.
`;
}

/** Renders how the cost of a pair grows with the ranks, and how the simulation goes on. */
function renderGrowthWithRanks({ runs, more }) {
  const weak = runs.filter(({ run }) => run.model === 'tiny' && run.weak);
  const perPair = ({ run }, side) => run.step[side].cpu / run.pairs;
  const exponents = (costOf) =>
    ['node', 'torch'].map((side) =>
      exponentOf(
        weak.map(({ run }) => run.worldSize),
        weak.map((each) => costOf(each, side)),
      ).toFixed(2),
    );
  const cpu = exponents(perPair).join(' here and ');
  const step = exponents(({ run }, side) => run.step[side].seconds).join(' and ');
  return `## Growth with ranks

${table(
  ['ranks', 'step here', 'torch', 'expected', 'error', 'CPU time per pair here', 'torch'],
  weak.map((each) => [
    each.run.worldSize,
    ...['node', 'torch'].map((side) => ms(each.run.step[side].seconds)),
    ...[ms(each.expected.step), signed(each.error)],
    ...['node', 'torch'].map((side) => ms(perPair(each, side))),
  ]),
)}

\`tiny\` with ${weak[0].run.pairs} pairs per rank. The CPU time of a pair, over all threads, grows as c·n^e with n
ranks: e is ${cpu} there. For the time of a step, in which ranks share the cores, e is ${step}.
The simulation goes on. It has the full loss, which every rank computes over the pairs of all ranks:

${table(
  ['ranks', 'expected on the cores of this machine', 'with a core each and the same link', 'efficiency'],
  more.map(({ worldSize, here, apart, alone }) => [worldSize, ms(here), ms(apart), percent(alone / apart)]),
)}
`;
}

const signed = (share) => `${share >= 0 ? '+' : '−'}${percent(Math.abs(share))}`;

const linkText = ({ bandwidth, latency }) => `${(bandwidth / 1e9).toFixed(2)} GB/s, ${(1e6 * latency).toFixed(0)} µs`;

/** Returns the names of the runs in which our step takes longer than torch's. */
export const shortRows = ({ runs }) =>
  runs.filter(({ step }) => step.node.seconds > step.torch.seconds).map((run) => `step of ${nameOf(run).join(', ')}`);

function stepRow(run, runs) {
  const { model, worldSize, pairs, weak, step } = run;
  const one = runs.find(
    (other) => other.model === model && other.worldSize === 1 && other.pairs === (weak ? pairs : pairs * worldSize),
  );
  const efficiency = (side) => percent(one.step[side].seconds / step[side].seconds / (weak ? 1 : worldSize));
  const compared = (phase) => [
    ms(step.node[phase]),
    ms(step.torch[phase]),
    (step.node[phase] / step.torch[phase]).toFixed(2),
  ];
  return [
    ...nameOf(run),
    ...compared('seconds'),
    ...compared('backward'),
    ...(worldSize === 1 ? ['', ''] : [efficiency('node'), efficiency('torch')]),
  ];
}

function overlapRow(run) {
  const cells = (side) => {
    const [alone, exchange, together] = [run.alone[side].backward, run.exchange[side].seconds, run.step[side].backward];
    return [ms(alone), ms(exchange), ms(together), percent((alone + exchange - together) / exchange)];
  };
  return [...nameOf(run), ...cells('node'), ...cells('torch')];
}

function bytesRow({ model: name, worldSize, pairs, step }, model) {
  const gradients = ((2 * (worldSize - 1)) / worldSize) * model.buckets.reduce((sum, { bytes }) => sum + bytes, 0);
  const features = (worldSize - 1) * 2 * 4 * pairs * model.embedDim;
  const buffers = ((worldSize - 1) / worldSize) * model.buffers;
  const counted = ['node', 'torch'].map((side) => mib(step[side].bytes / worldSize));
  return [
    name,
    worldSize,
    ...counted,
    mib(gradients + features + buffers),
    mib(gradients),
    mib(features),
    mib(buffers),
  ];
}

const startRow = ({ worldSize, node, torch }) => [
  worldSize,
  ms(node.start),
  ms(torch.start),
  (node.start / torch.start).toFixed(2),
  ms(node.close),
  ms(torch.close),
];

const trainerRow = ({ worldSize, pairs, step, run }, [one]) => [
  worldSize,
  pairs,
  ms(step),
  worldSize === 1 ? '' : percent(one.step / step),
  ms(run),
];

const validRow = ({ run, expected, error }) => [
  ...nameOf(run),
  ms(run.step.node.seconds),
  ms(expected.step),
  signed(error),
  ms(run.step.node.backward),
  ms(expected.backward),
];
