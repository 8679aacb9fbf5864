// Ranks, measured and simulated: the part of `npm run bench` that writes bench/RESULTS.distributed.md.
import { writeFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';

import { measureDistributed } from './measure.mjs';
import { renderDistributed, shortRows } from './report.mjs';
import { validate } from './validate.mjs';

export { measureProfiles } from './profiles.mjs';

/** @returns {Promise<string[]>} what is short of its target */
export async function benchDistributed(environment, quick) {
  const results = await measureDistributed(environment, quick);
  const text = renderDistributed(results, validate(results, availableParallelism()), {
    ...environment,
    load: loadavg()[0],
  });
  console.log(text);
  if (!quick) writeFileSync(join(environment.root, 'bench', 'RESULTS.distributed.md'), text);
  return shortRows(results);
}
