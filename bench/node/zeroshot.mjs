// Measures a zero-shot evaluation, from the checkpoint to the accuracy.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

import cleanclip from '../../dist/index.js';
import { labelledFolder } from './inputs.mjs';
import { weightsFile } from './model.mjs';

export async function prepare({ folder, model, ...sizes }) {
  const checkpoint = weightsFile(folder, model);
  const evalTestDataDir = await labelledFolder(folder, sizes);
  const logs = join(folder, 'logs');
  return async () => {
    rmSync(logs, { recursive: true, force: true });
    const start = performance.now();
    const metrics = await cleanclip.evaluate({
      checkpoint,
      evalTestDataDir,
      logs,
      name: 'zeroshot',
      numWorkers: 2,
      device: 'cpu',
      precision: 'auto',
    });
    const seconds = (performance.now() - start) / 1000;
    return { seconds, top1: metrics.zeroshot_top1, bytes: process.resourceUsage().maxRSS * 1024 };
  };
}
