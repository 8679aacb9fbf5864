// Measures loading the batches of an epoch, without training on them.
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
    const [start, before] = [performance.now(), process.cpuUsage()];
    for await (const batch of loader.epoch(epoch++)) batch.dispose();
    const { user, system } = process.cpuUsage(before);
    return { seconds: (performance.now() - start) / 1000, cpu: (user + system) / 1e6 };
  };
}
