// Measures what scripts/scaling.mjs needs of this machine: when in backward the gradients of a model become ready, and
// what a step exchanges.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { inputsOf } from './measure.mjs';
import { openRanks } from './ranks.mjs';

const PAIRS = 2;

/** Measures the models of docs/scaling.md in one process, and writes profiles.json. */
export async function measureProfiles(environment) {
  const profiles = {};
  for (const model of ['RN50', 'ViT-B/32']) {
    console.log(`${model} in one process …`);
    const group = await openRanks('node', 1, inputsOf(model, PAIRS, environment), environment);
    try {
      const [profile] = await group.all({ action: 'profile', pairs: PAIRS, repeats: 3 });
      profiles[model] = { pairs: PAIRS, ...profile };
      await group.close();
    } finally {
      group.kill();
    }
  }
  writeFileSync(
    join(environment.root, 'bench', 'distributed', 'profiles.json'),
    `${JSON.stringify(profiles, null, 1)}\n`,
  );
}
