// Writes $OUT/summary.md from the results of the stages that have run, and prints it and "N passed, N failed".
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { out, rehearsal, work } from './files.mjs';

const GIB = 2 ** 30;
const stages = readFileSync(join(work, 'stages.tsv'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => line.split('\t'))
  .map(([name, code, seconds, limit]) => ({ name, code: Number(code), seconds, limit, results: resultsOf(name) }));
const { setup, smoke, steps, epoch, quickstart } = Object.fromEntries(stages.map((stage) => [stage.name, stage]));

/** A stage that has not ended by itself counts as one failure more. */
const failures = stages.flatMap(({ name, code, results }) => [
  ...results.checks.filter(({ ok }) => !ok).map((check) => `${name}: ${check.name}: ${check.detail}`),
  ...(code === 0 ? [] : [`${name}: ${code === 124 || code === 137 ? 'it ran out of time' : `it ended with ${code}`}`]),
]);
const passed = stages.reduce((sum, { results }) => sum + results.checks.filter(({ ok }) => ok).length, 0);

const text = [
  `# cleanclip on ${rehearsal ? 'the CPU: a rehearsal' : (smoke?.results.gpu?.name ?? 'a GPU')}`,
  '',
  ...machine(),
  ...section('Stages', [
    ['stage', 'passed', 'failed', 'seconds', 'of at most', 'ended'],
    ...stages.map(({ name, code, seconds, limit, results: { checks } }) => [
      name,
      checks.filter(({ ok }) => ok).length,
      checks.filter(({ ok }) => !ok).length,
      seconds,
      limit,
      code === 0 ? 'by itself' : code === 124 || code === 137 ? 'out of time' : `with ${code}`,
    ]),
  ]),
  ...section('Steps, ours against Python', stepRows()),
  ...section('An epoch of JPEGs with AutoAugment', epochRows()),
  ...section('Quickstart', quickstartRows()),
  ...(failures.length > 0 ? ['## Failures', '', ...failures.map((failure) => `- ${failure}`), ''] : []),
  ...stages.filter(({ code }) => code !== 0).flatMap(({ name }) => logOf(name)),
  `${passed} passed, ${failures.length} failed`,
].join('\n');
writeFileSync(join(out, 'summary.md'), `${text}\n`);
console.log(text);
process.exitCode = failures.length > 0 ? 1 : 0;

function resultsOf(name) {
  const file = join(out, `${name}.json`);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { checks: [] };
}

function machine() {
  const { processor, node, gpu, driver } = smoke?.results ?? {};
  const { versions, peak } = steps?.results ?? {};
  return [
    ...(processor ? [`Processor: ${processor}; Node ${node}.`] : []),
    ...(gpu ? [`GPU: ${typeof gpu === 'string' ? gpu : JSON.stringify(gpu)}.`, `nvidia-smi: ${driver}.`] : []),
    ...(versions ? [`Python ${versions.python}, torch ${versions.torch}.`] : []),
    ...(peak ? [`The bf16 matrix product's peak: ${(peak / 1e12).toPrecision(3)} TFLOP/s.`] : []),
    ...(setup ? [`Unpacking and compiling took ${setup.seconds} s.`] : []),
  ].flatMap((line) => [line, '']);
}

function stepRows() {
  const rows = steps?.results.rows ?? [];
  const side = ({ failed, pairsPerSecond, bytes }) =>
    failed ? [failed, ''] : [pairsPerSecond.toFixed(0), bytes === undefined ? '' : (bytes / GIB).toFixed(1)];
  return [
    ['model', 'pairs', 'loss', 'precision', 'pairs/s', 'GiB', "Python's pairs/s", 'GiB', 'ratio', 'of peak', 'gap'],
    ...rows.map(({ model, pairs, inmodal, precision, skipped, ours, python, ratio }) => [
      ...[model, pairs, inmodal ? 'CleanCLIP' : 'CLIP', precision],
      ...(skipped ? ['left out, for lack of time'] : [...side(ours), ...side(python), ratioOf(ratio, pairs)]),
      ...(skipped ? [] : [ours.share, ours.gap].map(percent)),
    ]),
  ];
}

/** The goal is 1.3 at 256 pairs and 1 at 1024. */
function ratioOf(ratio, pairs) {
  if (!ratio) return '';
  return `${ratio.toFixed(2)}×${!rehearsal && ratio < (pairs < 1024 ? 1.3 : 1) ? ', short' : ''}`;
}

function epochRows() {
  const { loading, epoch: run } = epoch?.results ?? {};
  return [
    ['', 'pairs/s', 'note'],
    ...(loading ? [['loading alone', loading.pairsPerSecond.toFixed(0), `${loading.numWorkers} threads`]] : []),
    ...(run
      ? [['training', run.pairsPerSecond.toFixed(0), `${percent(run.dataWait)} of the time waits for data`]]
      : []),
  ];
}

function quickstartRows() {
  const { results = {}, seconds } = quickstart?.results ?? {};
  const models = ['poisoned', 'clip_finetuned', 'cleanclip'].filter((model) => results[model]);
  const rows = models.map((model) => {
    const { ca, ca_seen: seen, asr } = results[model];
    return [model, percent(ca), percent(seen), percent(asr)];
  });
  return [[`in ${Math.round(seconds)} s`, 'CA, held-out', 'CA, seen', 'ASR'], ...rows];
}

function percent(share) {
  return share === undefined || share === null ? '' : `${(100 * share).toFixed(1)}%`;
}

/** A table of its rows, the first being its head; nothing where there is no other. */
function section(title, rows) {
  if (rows.length < 2) return [];
  const line = (cells) => `| ${rows[0].map((_, i) => cells[i] ?? '').join(' | ')} |`;
  return [`## ${title}`, '', line(rows[0]), line(rows[0].map(() => '---')), ...rows.slice(1).map(line), ''];
}

/** The end of what a stage has printed. */
function logOf(name) {
  const file = join(work, `${name}.log`);
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').slice(-40) : [];
  return [`## The end of ${name}'s log`, '', '```', ...lines, '```', ''];
}
