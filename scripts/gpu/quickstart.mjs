// Stage (f): the quickstart's training on the device, to the scores that it has on the CPU within their intervals.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { quickstartModule } from './files.mjs';
import { check, folder, inputs, keep, must, rehearsal, secondsLeft, stopwatch } from './stage.mjs';

const { wilson } = quickstartModule('table');

/** What seed 1 gave on the CPU (README.md), with the drawings that a share stands on. The control's ASR varies. */
const DRAWINGS = { ca: 286, ca_seen: 858, asr: 285 };
const EXPECTED = {
  poisoned: { ca: 0.248, ca_seen: 0.789, asr: 0.995 },
  cleanclip: { ca: 0.269, ca_seen: 0.699, asr: 0.023 },
};

const elapsed = stopwatch();
await check('the quickstart ends', async () => {
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 1000 * (secondsLeft() - 3)).unref();
  const onProgress = ({ type, line }) => type === 'log' && console.log(line);
  const options = { seed: 1, small: rehearsal, out: folder, data: join(inputs, 'quickstart') };
  await quickstartModule('run')
    .runQuickstart(options, { signal: abort.signal, onProgress })
    .finally(() => keep({ seconds: elapsed() }));
});

const file = join(folder, 'results.json');
const results = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
keep({ results });
for (const [model, scores] of Object.entries(EXPECTED))
  await check(`${model} has scores${rehearsal ? '' : ' as on the CPU'}`, () => compare(results[model], scores));

function compare(measured, expected) {
  must(measured !== undefined, 'it was not measured');
  if (rehearsal) return measured; // the small form has other scores
  for (const [score, value] of Object.entries(expected)) {
    const [ours, theirs] = [measured[score], value].map((share) => wilson(share, DRAWINGS[score]));
    const overlap = ours[0] <= theirs[1] && theirs[0] <= ours[1];
    must(overlap, `${score} is ${measured[score]}, where ${value} is expected`);
  }
  return measured;
}
