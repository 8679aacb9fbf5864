import { existsSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { freePort } from '../../../src/jobs/ranks/free_port';
import { interpreter } from '../../parity/python';
import { bin, command, type Running, start, until } from '../../support/command';
import { drawShapes } from '../../support/pairs';
import { curve, finished, flags } from './training';

jest.setTimeout(120_000);

let folder: string;
beforeAll(async () => {
  folder = await drawShapes(3); // 36 pairs: 4 batches an epoch
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const torchrun = join(dirname(interpreter), 'torchrun');
const withTorchrun = existsSync(torchrun) ? test : test.skip;

withTorchrun('torchrun --no-python makes processes ranks', async () => {
  const ranks = ['--no-python', '--nproc_per_node', '2', '--master_port', String(await freePort())];
  const { code, stdout } = await start(
    torchrun,
    [...ranks, process.execPath, bin('cleanclip-train'), ...flags('torchrun')],
    folder,
  ).ended;
  expect(code).toBe(0);
  expect(stdout.match(/The last checkpoint is/g)).toHaveLength(1);
  expect([curve(folder, 'torchrun').length, finished(folder, 'torchrun')]).toEqual([8, true]);
});

/** The two tasks of a step, as srun starts them. */
async function srun(name: string, ...more: string[]): Promise<Running[]> {
  const step = {
    SLURM_JOB_ID: '17',
    SLURM_STEP_ID: '0',
    SLURM_NTASKS: '2',
    SLURM_NODEID: '0',
    SLURM_STEP_NODELIST: 'localhost',
    SLURM_STEP_TASKS_PER_NODE: '2',
  };
  const env = { ...step, MASTER_PORT: String(await freePort()) };
  const args = flags(name, '--distributed', ...more);
  return ['0', '1'].map((rank) =>
    command('cleanclip-train', args, folder, { ...env, SLURM_PROCID: rank, SLURM_LOCALID: rank }),
  );
}

test('tasks of srun are ranks with --distributed; SIGTERM to one stops all of them', async () => {
  const stopped = await srun('srun', '--epochs', '50');
  await until(() => curve(folder, 'srun').length >= 3);
  stopped[1].child.kill('SIGTERM');
  for (const [task, { ended }] of stopped.entries()) {
    expect(await ended).toMatchObject({
      code: task === 1 ? 143 : 130,
      stderr: expect.stringMatching(/Training was stopped at step \d+; it is saved/),
    });
  }
  const step = curve(folder, 'srun').length;

  const ends = await Promise.all(
    (await srun('srun', '--epochs', '50', '--resume', 'auto', '--max_steps', String(step + 3))).map(
      ({ ended }) => ended,
    ),
  );
  expect(ends.map(({ code, stdout }) => [code, stdout.includes('The last checkpoint is')])).toEqual([
    [0, true],
    [0, false],
  ]);
  expect(curve(folder, 'srun').map(([step]) => step)).toEqual(Array.from({ length: step + 3 }, (_, i) => i + 1));
});
