// `npm run bench [-- --quick] [-- row …]`: measures every row of table.mjs, or some, against Python, prints the table, writes it to
// bench/RESULTS.md (some rows: beside what was measured before; --quick: not at all), and ends with code 1 if a row is short. It makes a Python venv (not with
// CLEANCLIP_PYTHON) and compiles an addon against that Python's torch, so that both sides compute with the same library.
// `npm run bench -- distributed` measures ranks, into bench/RESULTS.distributed.md; `-- profiles`, only by name, what docs/scaling.md takes from this machine.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { benchDistributed, measureProfiles } from './distributed/main.mjs';
import { prepareEnvironment } from './environment.mjs';
import { measureGrowth } from './growth.mjs';
import { measure } from './measure.mjs';
import { renderGrowth, renderRows, renderRun } from './report.mjs';
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
const store = join(root, '.cache', 'bench-results.json');
const results = !quick && existsSync(store) ? JSON.parse(readFileSync(store, 'utf8')) : {};
for (const measurement of measurements.filter(({ id }) => chosen(id))) {
  results[measurement.id] = await measure(measurement, environment, quick);
  console.log(renderRows(results[measurement.id]));
  record();
}
if (chosen('growth')) {
  results.growth = await measureGrowth(environment, quick);
  console.log(renderGrowth(results.growth));
  record();
}
const short = measurements.filter(({ id }) => chosen(id)).flatMap(({ id }) => results[id]).filter(({ met }) => met === false).map(({ title }) => title);
if (chosen('distributed')) short.push(...(await benchDistributed(environment, quick)));
if (wanted.includes('profiles')) await measureProfiles(environment);
rmSync(environment.folder, { recursive: true, force: true });
if (short.length > 0) {
  console.error(`Short: ${short.join('; ')}.`);
  process.exit(1);
}

/** Writes what is known by now. */
function record() {
  if (quick) return;
  writeFileSync(store, JSON.stringify(results));
  const rows = measurements.flatMap(({ id }) => results[id] ?? []);
  writeFileSync(join(root, 'bench', 'RESULTS.md'), [renderRun(environment), renderRows(rows), renderGrowth(results.growth ?? [])].join('\n'));
}
