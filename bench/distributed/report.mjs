// The results as Markdown.

const ms = (seconds) =>
  seconds >= 10 ? `${seconds.toFixed(1)} s` : `${(1000 * seconds).toFixed(seconds < 0.1 ? 1 : 0)} ms`;
const percent = (share) => `${(100 * share).toFixed(0)}%`;
const mib = (bytes) => `${(bytes / 2 ** 20).toFixed(bytes < 2 ** 20 ? 3 : 1)} MiB`;
const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
const nameOf = ({ model, worldSize, pairs }) => [model, worldSize, pairs];

const overlapHead = [
  ...['model', 'ranks', 'pairs a rank'],
  ...['backward alone', 'exchange alone', 'together', 'overlap'],
  ...['torch: alone', 'exchange', 'together', 'overlap'],
];
const validHead = [
  ...['model', 'ranks', 'pairs a rank'],
  ...['measured', 'expected', 'error', 'backward measured', 'expected'],
];

/** @param results of measureDistributed, with what `validate` says of them */
export function renderDistributed(results, validated, { machine, versions, load }) {
  return `# Ranks, measured against torch's DistributedDataParallel

\`npm run bench -- distributed\` measures these tables anew. Both sides ran on ${machine}, with the same libtorch:
${versions}. Gloo ran on the loopback interface, with one OpenMP thread a rank: 4 ranks share 2 cores on both sides.
Both train the same weights on the same batches, with the reference's loss over the features of all ranks, AdamW by
libtorch's fused kernel, and gradients as views into their buckets of 25 MiB (the first 1). They were measured in turn;
of each value the best round counts. A ratio is ours ÷ theirs. The load was ${load.toFixed(1)} at the end.
\`tiny\` is the model of that name, \`medium\` one of 27 million parameters (bench/distributed/inputs.mjs).

## Step

${table(
  [
    'model',
    'ranks',
    'pairs a rank',
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

Backward includes the loss and the exchange. Efficiency is that of more ranks: pairs a second and rank ÷ those of one
rank with as many pairs (weak scaling) or with all of them (strong). With one thread a rank, 2 cores allow 4 ranks 50%.

## Overlap of exchange and backward

${table(overlapHead, [...results.runs, results.cable].filter((run) => run?.exchange).map(overlapRow))}

Overlap is (alone + exchange − together) ÷ exchange. On the loopback interface the exchange itself is work for the cores
that compute: what a rank hides is only the time in which its core would wait. Over the cable (two network namespaces,
their veth pair shaped by tc's tbf; needs root) the exchange waits, as over a network between machines.

## Bytes on the wire

${table(
  ['model', 'ranks', 'here, a rank and step', 'torch', 'expected', 'of gradients', 'features', 'buffers'],
  results.runs
    .filter(({ worldSize, weak }) => worldSize > 1 && weak)
    .map((run) => bytesRow(run, results.models[run.model])),
)}

Counted on the loopback interface, headers included. Expected: 2(W − 1)/W × gradients (ring), (W − 1) × a rank's
features (ring), (W − 1)/W × buffers (tree), on average over the ranks.

## Start and end

${table(['ranks', 'start here', 'torch', 'ratio', 'end here', 'torch'], results.starts.map(startRow))}

From the first process to the first step of all, \`tiny\`; and from the word to leave until the last process has ended.

## The trainer

${table(
  ['ranks', 'pairs a rank', 'step of cleanclip-train', 'efficiency', 'whole run'],
  results.trainer.map((run) => trainerRow(run, results.trainer)),
)}

\`cleanclip-train\` itself, \`tiny\` on real files, one loader thread a rank: decoding shares the cores too, and the
ranks agree on each step.

## Simulation

${table(validHead, validated.map(validRow))}

[docs/scaling.md](../docs/scaling.md) says how. The link, measured apart: ${linkText(results.link)}.
`;
}

const linkText = ({ bandwidth, latency }) => `${(bandwidth / 1e9).toFixed(2)} GB/s, ${(1e6 * latency).toFixed(0)} µs`;

/** Rows over their limit. */
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
  `${error >= 0 ? '+' : '−'}${percent(Math.abs(error))}`,
  ms(run.step.node.backward),
  ms(expected.backward),
];
