// Measures a CleanCLIP run of one epoch, from reading the csv to the checkpoint.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

import cleanclip from '../../dist/index.js';
import { pairsCsv } from './inputs.mjs';
import { weightsFile } from './model.mjs';

export async function prepare({ folder, pairs }) {
  const checkpoint = weightsFile(folder, 'tiny');
  const trainData = await pairsCsv(folder, pairs);
  const logs = join(folder, 'logs');
  return async () => {
    rmSync(logs, { recursive: true, force: true });
    const start = performance.now();
    const options = {
      checkpoint,
      trainData,
      logs,
      name: 'epoch',
      epochs: 1,
      batchSize: 32,
      numWorkers: 2,
      device: 'cpu',
      precision: 'auto',
    };
    const { history } = await cleanclip.finetune(options);
    const seconds = (performance.now() - start) / 1000;
    const lines = history.filter(({ type }) => type === 'train');
    const waited =
      lines.reduce((sum, { data_wait: share, time }) => sum + share * time, 0) /
      lines.reduce((sum, { time }) => sum + time, 0);
    return { seconds, note: `${(100 * waited).toFixed(0)}% of the steps' time is spent waiting for data` };
  };
}
