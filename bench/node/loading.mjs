// The batches of an epoch, without training on them.
import { performance } from 'node:perf_hooks';

import cleanclip from '../../dist/index.js';
import { pairsCsv } from './inputs.mjs';

export async function prepare({ folder, pairs, workers }) {
  const table = await cleanclip.readPairs(await pairsCsv(folder, pairs));
  const loader = new cleanclip.PairLoader(table, {
    batchSize: 32,
    size: 224,
    numWorkers: workers,
    inmodal: true,
    cacheBytes: 0,
  });
  let epoch = 0;
  return async () => {
    const start = performance.now();
    for await (const batch of loader.epoch(epoch++)) batch.dispose();
    return { seconds: (performance.now() - start) / 1000 };
  };
}
