// `npm run bench [-- --quick] [-- row …]` measures all rows of table.mjs, or the given ones, against Python. It prints
// the table, and exits with 1 if a row is short of its goal. It writes bench/RESULTS.md, but not with --quick; given
// rows join those that bench/results.json has from the same machine and versions. It makes a Python venv, or uses the
// Python that CLEANCLIP_PYTHON names. It compiles an addon against that Python's torch, so that both sides compute with
// the same library. `npm run bench -- distributed` measures ranks and writes bench/RESULTS.distributed.md.
// `npm run bench -- profiles` measures what docs/scaling.md needs of this machine; it runs only when it is named.
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
