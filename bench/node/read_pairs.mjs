// `node read_pairs.mjs <csv>` reads pairs, loads two batches, and prints the time to read and the peak memory.
import { performance } from 'node:perf_hooks';

import cleanclip from '../../dist/index.js';

const start = performance.now();
const table = await cleanclip.readPairs(process.argv[2]);
const seconds = (performance.now() - start) / 1000;
const loader = new cleanclip.PairLoader(table, { batchSize: 128, size: 224, numWorkers: 2 });
let batches = 0;
for await (const batch of loader.epoch(1)) {
  batch.dispose();
  if (++batches === 2) break;
}
await loader.close();
console.log(JSON.stringify({ seconds, bytes: process.resourceUsage().maxRSS * 1024 }));
