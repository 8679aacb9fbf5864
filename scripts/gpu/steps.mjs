// Stage (c): steps of RN50 and ViT-B/32 in turn with Python's torch, the most telling first: seconds, peak memory, the
// share of the matrix product's peak, and how long the device waits for the host between two steps.
import { join } from 'node:path';

import { stepFlops } from '../../bench/node/flops.mjs';
import { caption } from '../../bench/node/inputs.mjs';
import cleanclip from '../../dist/index.js';
import { openPython } from './python_side.mjs';
import { check, folder, keep, median, must, rehearsal, secondsLeft, stopwatch } from './stage.mjs';
import { matmulPeak, openTraining } from './training.mjs';

const { torch } = cleanclip;
const ROUNDS = 2;
const [few, many, models] = rehearsal ? [4, 8, ['tiny', 'tiny']] : [256, 1024, ['ViT-B/32', 'RN50']];
const [vit, resnet] = models;

const all = ['bf16', 'fp16'].flatMap((precision) =>
  [
    [vit, few, false],
    [resnet, few, false],
    [resnet, many, false],
    [vit, many, false],
    [resnet, few, true],
    [vit, many, true],
    [vit, few, true],
    [resnet, many, true],
  ].map(([model, pairs, inmodal]) => ({ model, pairs, inmodal, precision })),
);

const plan = rehearsal ? all.filter((_, i) => i % 4 === 0) : all;

const python = openPython();
const peak = matmulPeak('bfloat16', rehearsal ? 512 : 8192);
const versions = await python.ask({});
const rows = [];
keep({ peak, versions, rows });

const weights = Object.fromEntries([...new Set(models)].map((model) => [model, weightsOf(model)]));
const size = Math.max(...Object.values(weights).map(({ config }) => config.imageSize));
const batch = makeBatch(2 * many, size);
let longest = 0;
for (const task of plan) {
  const { model, pairs, inmodal, precision } = task;
  const name = `${model}, ${pairs} pairs, ${inmodal ? 'CleanCLIP' : 'CLIP'}, ${precision}`;
  if (secondsLeft() < 1.3 * longest + 2) {
    rows.push({ ...task, skipped: true });
    console.log(`     ${name}: left out, for lack of time`);
    keep({ rows });
    continue;
  }
  const elapsed = stopwatch();
  await check(name, () => compare(task));
  longest = Math.max(longest, elapsed());
}
python.close();

async function compare({ model, pairs, inmodal, precision }) {
  const { file, config } = weights[model];
  const task = { weights: file, batch: batch.file, pairs, inmodal, precision };
  const rounds = { ours: [], python: [] };
  const failed = {};
  const ours = attempt(() => openTraining({ ...task, ...batch }));
  const sides = {
    ours: (steps) => attempt(() => ours.result.measure(steps)),
    python: (steps) => attemptLater(python.ask({ measure: steps })),
  };
  failed.ours = ours.code;
  failed.python = (await attemptLater(python.ask({ prepare: { ...task, config } }))).code;
  let steps = 2; // to warm up, and to learn how long a step takes
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [side, measure] of Object.entries(sides).filter(([each]) => !failed[each])) {
      const { result, code } = await measure(steps);
      failed[side] = code;
      if (!code && round > 0) rounds[side].push(result);
      if (!code && round === 0 && !rehearsal)
        steps = Math.max(steps, Math.min(20, Math.ceil(1 / median(result.steps))));
    }
  }
  ours.result?.dispose();

  const flops = stepFlops(batch.ids.narrow(0, 0, inmodal ? 2 * pairs : pairs), model);
  const row = { model, pairs, inmodal, precision };
  for (const side of Object.keys(sides))
    row[side] = failed[side] ? { failed: failed[side] } : summarise(rounds[side], { pairs, flops });
  row.ratio = row.python.seconds / row.ours.seconds || undefined;
  rows.push(row);
  keep({ rows });
  must(!failed.ours || failed.ours === failed.python, `ours: ${failed.ours}; Python: ${failed.python ?? 'ran'}`);
  const apart = Math.abs(row.ours.loss - row.python.loss);
  must(!(apart > 0.03), `the losses are ${row.ours.loss} here and ${row.python.loss} there`);
  return row;
}

/** The medians of all rounds' steps. `gap`: the share of the time that the device waits between steps. */
function summarise(rounds, { pairs, flops }) {
  const steps = rounds.flatMap((round) => round.steps);
  const gaps = rounds.flatMap((round) => round.gaps);
  const seconds = median(steps) + median(gaps);
  return {
    seconds,
    pairsPerSecond: pairs / seconds,
    spread: [Math.min(...steps), Math.max(...steps)],
    gap: median(gaps) / seconds,
    enqueue: median(rounds.map((round) => round.enqueue)),
    bytes: rounds[0].bytes,
    share: flops / seconds / peak || undefined,
    loss: rounds[0].loss,
  };
}

function attempt(fn) {
  try {
    return { result: fn() };
  } catch (error) {
    console.error(error.message);
    return { code: error.code === 'ERR_TORCH_OOM' ? 'OOM' : (error.code ?? error.message) };
  }
}

function attemptLater(promise) {
  return promise.then(
    (result) => ({ result }),
    ({ code, message }) => ({ code: code ?? message }),
  );
}

function weightsOf(model) {
  const file = join(folder, `${model.replace('/', '-')}.pt`);
  const clip = cleanclip.loadClip(model, { seed: 1 });
  torch.save({ state_dict: clip.stateDict() }, file);
  clip.dispose();
  return { file, config: clip.config };
}

/** Drawn pixels, the same again after 256 rows, and captions of the lengths of web images'; also in a file. */
function makeBatch(rowCount, side) {
  const drawn = Math.min(rowCount, 256);
  const pixels = torch
    .randint(0, 256, [drawn, 3, side, side], { dtype: 'uint8', generator: new torch.Generator(1) })
    .repeat([rowCount / drawn, 1, 1, 1]);
  const ids = cleanclip.tokenize(Array.from({ length: rowCount }, (_, i) => caption(i)));
  const file = join(folder, 'batch.pt');
  torch.save({ pixels, ids }, file);
  return { pixels, ids, file };
}
