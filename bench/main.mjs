// `npm run bench [-- --quick] [-- row …]`: measures every row of table.mjs, or some, against Python, prints the table,
// writes it to bench/RESULTS.md (some rows: beside those that bench/results.json has of the same machine and versions;
// --quick: not at all), and ends with code 1 if a row is short. It makes a Python venv (not with CLEANCLIP_PYTHON) and
// compiles an addon against that Python's torch, so that both sides compute with the same library. `npm run bench --
// distributed` measures ranks, into bench/RESULTS.distributed.md; `-- profiles`, only by name, what docs/scaling.md
// takes from this machine.
import { rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { benchDistributed, measureProfiles } from './distributed/main.mjs';
import { prepareEnvironment } from './environment.mjs';
import { measureGrowth } from './growth.mjs';
import { measure } from './measure.mjs';
import { renderGrowth, renderRows } from './report.mjs';
import { openResults } from './results.mjs';
import { measurements } from './table.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const quick = process.argv.includes('--quick');
const wanted = process.argv.slice(2).filter((argument) => argument !== '--quick');
const known = [...measurements.map(({ id }) => id), 'growth', 'distributed', 'profiles'];
const unknown = wanted.filter((id) => !known.includes(id));
if (unknown.length > 0) {
  console.error(`There is no row ${unknown.join(', ')}; the rows are ${known.join(', ')}.`);
  process.exit(1);
}
const chosen = (id) => wanted.length === 0 || wanted.includes(id);

const environment = prepareEnvironment(root);
const results = openResults(environment, { whole: wanted.length === 0, quick });
for (const measurement of measurements.filter(({ id }) => chosen(id))) {
  console.log(renderRows(results.record(measurement.id, await measure(measurement, environment, quick))));
}
if (chosen('growth')) console.log(renderGrowth(results.record('growth', await measureGrowth(environment, quick))));
const short = measurements
  .filter(({ id }) => chosen(id))
  .flatMap(({ id }) => results.of(id))
  .filter(({ met }) => met === false)
  .map(({ title }) => title);
if (chosen('distributed')) short.push(...(await benchDistributed(environment, quick)));
if (wanted.includes('profiles')) await measureProfiles(environment);
rmSync(environment.folder, { recursive: true, force: true });
if (short.length > 0) {
  console.error(`Short: ${short.join('; ')}.`);
  process.exit(1);
}
