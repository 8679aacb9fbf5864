// Makes what the stages read, while the addon compiles: JPEGs with captions, and the pictures of the quickstart.
import { linkSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { caption, photographs } from '../../bench/node/inputs.mjs';
import { inputs, quickstartModule, rehearsal } from './files.mjs';

const pairs = rehearsal ? 64 : 8192;

mkdirSync(join(inputs, 'files'), { recursive: true });
const files = await photographs(inputs);
const rows = Array.from({ length: pairs }, (_, i) => {
  linkSync(join(inputs, files[i % files.length]), join(inputs, 'files', `${i}.jpg`)); // decoded again under each name
  return `files/${i}.jpg,${caption(i)}\n`;
});
writeFileSync(join(inputs, 'pairs.csv'), `image,caption\n${rows.join('')}`);

const { full, small, target } = quickstartModule('settings');
const { concepts, renders, cleanRows } = rehearsal ? small : full;
const { prepare } = quickstartModule('prepare');
await prepare({ seed: 1, folder: join(inputs, 'quickstart'), target, concepts, renders, cleanRows });
