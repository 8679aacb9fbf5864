import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { train } from '../../../src/jobs';
import { drawShapes } from '../../support/pairs';
import { python } from '../python';
import type { Part, Row } from './row';

const LAST_BIT = 2 ** -52;
const COSINES =
  'Equal but for the last bit of a double: the cosines of JavaScript and of the C library are rounded apart there.';
const run = { lr: 5e-4, warmup: 7, batches: 6, epochs: 5 };

/** The learning rates that a run logged, a step each. */
async function loggedRates(folder: string, compat?: 'reference'): Promise<number[]> {
  const { history } = await train({
    name: `rates ${compat}`,
    logs: join(folder, 'logs'),
    trainData: join(folder, 'train.csv'),
    modelName: join(folder, 'model.json'),
    batchSize: 8,
    epochs: run.epochs,
    lr: run.lr,
    numWarmupSteps: run.warmup,
    numWorkers: 0,
    logEvery: 1,
    compat,
  });
  return history.filter(({ type }) => type === 'train').map(({ lr }) => lr as number);
}

export const rates: Row = {
  name: 'rates',
  what: 'learning rates of a whole run, every step, as metrics.jsonl has them',
  reference: true,
  async measure(against) {
    const folder = await drawShapes(4); // 48 pairs: 6 batches of 8
    try {
      const expected = python('rates.py', { ...run, against }) as { ours: number[]; reference: number[] };
      const part = (name: string, ours: number[], theirs: number[]): Part => {
        if (ours.length !== theirs.length)
          throw new Error(`There are ${ours.length} rates here and ${theirs.length} in Python.`);
        const shares = ours.map((rate, i) => Math.abs(rate - theirs[i]) / run.lr);
        return {
          part: `${name}; share of the base rate`,
          cases: ours.length,
          measured: Math.max(...shares),
          limit: LAST_BIT,
          note: COSINES,
        };
      };
      const compat = part(
        '--compat reference, which counts epochs from 1',
        await loggedRates(folder, 'reference'),
        expected.reference,
      );
      return against === 'reference'
        ? [compat]
        : [part('the default', await loggedRates(folder), expected.ours), compat];
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
