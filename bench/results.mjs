// What was measured by now: bench/results.json, from which bench/RESULTS.md is made.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { renderGrowth, renderRows, renderRun } from './report.mjs';
import { measurements } from './table.mjs';

/**
 * @param {{ whole: boolean, quick: boolean }} run whether it measures all rows, so that it may replace a table of
 * another machine or other versions; a quick one writes nothing
 * @returns `record`: keeps and writes the results of an id, and gives them; `of`: those of an id
 */
export function openResults(environment, { whole, quick }) {
  const { root, machine, versions } = environment;
  const [json, markdown] = ['results.json', 'RESULTS.md'].map((name) => join(root, 'bench', name));
  const stored = existsSync(json) ? JSON.parse(readFileSync(json, 'utf8')) : undefined;
  const same = stored?.machine === machine && stored.versions === versions;
  const writes = !quick && (same || whole || stored === undefined);
  if (!quick && !writes)
    console.log(
      `bench/RESULTS.md is of ${stored.machine} with ${stored.versions}: only \`npm run bench\` for all rows ` +
        'replaces it, so these are printed alone.',
    );
  const results = writes && same ? stored.results : {};
  return { record, of: (id) => results[id] };

  function record(id, rows) {
    const when = `${new Date().toISOString().slice(0, 10)}, ${commit(root)}`;
    results[id] = rows.map((row) => ({ ...row, when }));
    if (writes) {
      writeFileSync(json, `${JSON.stringify({ machine, versions, results }, null, 1)}\n`);
      const known = measurements.flatMap((measurement) => results[measurement.id] ?? []);
      writeFileSync(
        markdown,
        [renderRun(environment), renderRows(known), renderGrowth(results.growth ?? [])].join('\n'),
      );
    }
    return results[id];
  }
}

/** The state of the code: that of a commit, or `+` what is not yet in one. */
function commit(root) {
  const git = (...args) => spawnSync('git', args, { cwd: root, encoding: 'utf8' }).stdout.trim();
  return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '--', 'src', 'native') ? '+' : ''}`;
}
