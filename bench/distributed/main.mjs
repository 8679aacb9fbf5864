// Measures and simulates ranks: the part of `npm run bench` that writes bench/RESULTS.distributed.md.
import { writeFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';

import { measureDistributed } from './measure.mjs';
import { renderDistributed, shortRows } from './report.mjs';
import { extrapolate, validate } from './validate.mjs';

export { measureProfiles } from './profiles.mjs';

/** The numbers of ranks to which the simulation goes on. */
const MORE_RANKS = [16, 32, 64, 128, 256, 512];

/** @returns {Promise<string[]>} the rows that are short of their goal */
export async function benchDistributed(environment, quick) {
  const results = await measureDistributed(environment, quick);
  const cores = availableParallelism();
  const simulated = { runs: validate(results, cores), more: extrapolate(results, cores, MORE_RANKS) };
  const text = renderDistributed(results, simulated, { ...environment, load: loadavg()[0] });
  console.log(text);
  if (!quick) writeFileSync(join(environment.root, 'bench', 'RESULTS.distributed.md'), text);
  return shortRows(results);
}
