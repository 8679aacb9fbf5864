// Measures writing and reading the weights of a model.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

import cleanclip from '../../dist/index.js';
import { weightsFile } from './model.mjs';

const { torch } = cleanclip;

export async function prepare({ folder, model }) {
  const stateDict = torch.load(weightsFile(folder, model)).state_dict;
  const copies = Object.fromEntries(Object.entries(stateDict).map(([name, tensor]) => [name, tensor.clone()]));
  const file = join(folder, 'saved_here.pt');
  return async () => {
    rmSync(file, { force: true });
    const save = secondsOf(() => torch.save({ state_dict: copies }, file));
    rmSync(file, { force: true });
    const start = performance.now();
    const saved = torch.saveAsync({ state_dict: copies }, file);
    const pause = (performance.now() - start) / 1000;
    await saved;
    const written = (performance.now() - start) / 1000;
    const load = secondsOf(() => torch.tidy(() => void torch.load(file)));
    const read = secondsOf(() =>
      torch.tidy(() => Object.values(torch.load(file).state_dict).forEach((tensor) => tensor.sum())),
    );
    return { save, durable: save, pause, written, load, read }; // torch.save here always syncs the file to the disk
  };
}

function secondsOf(work) {
  const start = performance.now();
  work();
  return (performance.now() - start) / 1000;
}
