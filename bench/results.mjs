// Keeps what was measured in bench/results.json, and writes bench/RESULTS.md from it.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { renderGrowth, renderRows, renderRun } from './report.mjs';
import { measurements } from './table.mjs';

/**
 * @param {{ whole: boolean, quick: boolean }} run `whole`: the run measures all rows, so that it may replace the table
 * of another machine or other versions; `quick`: the run writes nothing
 * @returns `record(id, rows)` keeps, writes and returns the results of an id; `of(id)` returns them
 */
export function openResults(environment, { whole, quick }) {
  const { root, machine, versions } = environment;
  const [json, markdown] = ['results.json', 'RESULTS.md'].map((name) => join(root, 'bench', name));
  const stored = existsSync(json) ? JSON.parse(readFileSync(json, 'utf8')) : undefined;
  const same = stored?.machine === machine && stored.versions === versions;
  const writes = !quick && (same || whole || stored === undefined);
  if (!quick && !writes)
    console.log(
      `bench/RESULTS.md was measured on ${stored.machine} with ${stored.versions}. Only \`npm run bench\` with all ` +
        'rows replaces it, so these rows are printed but not written.',
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

/** Returns the short hash of the commit, with `+` when src/ or native/ has changes that are not committed. */
function commit(root) {
  const git = (...args) => spawnSync('git', args, { cwd: root, encoding: 'utf8' }).stdout.trim();
  return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '--', 'src', 'native') ? '+' : ''}`;
}
