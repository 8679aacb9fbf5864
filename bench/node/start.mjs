// Measures new processes, from the command to its end.
import { spawnSync } from 'node:child_process';
import { performance } from 'node:perf_hooks';

import { weightsFile } from './model.mjs';

export async function prepare({ folder }) {
  const weights = weightsFile(folder, 'tiny');
  return () => ({
    help: secondsOf('../../bin/cleanclip-train.js', '--help'),
    load: secondsOf('--eval', "require('../../dist/index.js').torch.zeros([1])"),
    step: secondsOf('first_step.mjs', weights),
  });
}

function secondsOf(...args) {
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return (performance.now() - start) / 1000;
}
