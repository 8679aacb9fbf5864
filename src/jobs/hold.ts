import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

import { type CleanclipError, optionError } from '../errors';
import { type Lock, lock } from '../lock';
import type { TrainOptions } from '../options/train';
import { fromFirstRank } from '../run/ranks';
import { addon } from '../torch/addon';

/** Milliseconds to wait for a run that was just killed. Its ranks end after the command that started them. */
const PATIENCE = 2000;

/**
 * Runs a job while no other process uses the folder of its run, since two would mix their records and checkpoints. An
 * evaluation holds the folder too, as it writes to the same log. Of several ranks the first holds it for all.
 * @throws CleanclipError `ERR_OPTION` on all ranks when another process, or another job of this one, has the folder
 */
export async function holdingRun<Result>(options: object, work: () => Promise<Result>): Promise<Result> {
  if (!('logs' in options)) return work();
  const { logs, name } = options as TrainOptions;
  const folder = join(logs, name);
  const refusal = (holder: string): Error =>
    optionError(`The folder '${folder}' is in use by ${holder}; wait until that run ends, or choose another --name.`);
  let held: Lock | undefined;
  await fromFirstRank(async () => {
    const take = (): Lock => lock(join(folder, '.lock'), { refusal, flock: (fd) => addon().lockFile(fd) });
    held = await patiently(take);
  });
  try {
    return await work();
  } finally {
    held?.release();
  }
}

async function patiently<T>(take: () => T): Promise<T> {
  const end = performance.now() + PATIENCE;
  for (;;) {
    try {
      return take();
    } catch (error) {
      if (performance.now() > end || (error as CleanclipError).code !== 'ERR_OPTION') throw error;
    }
    await wait(100);
  }
}
