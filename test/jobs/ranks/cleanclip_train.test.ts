import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import * as cc from '../../../src';
import type { ProgressEvent } from '../../../src/jobs';
import { freePort } from '../../../src/jobs/ranks/free_port';
import { bin, type Running, start, until } from '../../support/command';
import { drawShapes } from '../../support/pairs';
import { processesWith, running } from '../../support/processes';
import { curve, flags } from './training';

jest.setTimeout(120_000);

let folder: string;
const EPOCHS = 8; // no run may be over before it is killed
/** A variable by which the processes of a run can be told from others. */
const mark = (name: string): { CLEANCLIP_TEST: string } => ({ CLEANCLIP_TEST: `${process.pid} ${name}` });
const run = (name: string, ...more: string[]): Running =>
  start(
    process.execPath,
    [bin('cleanclip-train'), ...flags(name, '--distributed', '--nproc_per_node', '2', ...more)],
    folder,
    { env: mark(name), detached: true },
  );
/** The first of two machines, of which the second one never comes. */
async function runHalf(name: string): Promise<Running & { rank: number }> {
  const where = [
    '--nnodes',
    '2',
    '--node_rank',
    '0',
    '--nproc_per_node',
    '1',
    '--distributed_init_method',
    `tcp://127.0.0.1:${await freePort()}`,
  ];
  const half = run(name, ...where);
  const atWork = (pid: number): boolean => readFileSync(`/proc/${pid}/maps`, 'latin1').includes('libtorch_cpu');
  await until(() => processesWith({ ...mark(name), RANK: '0' }).some(atWork));
  return { ...half, rank: processesWith({ ...mark(name), RANK: '0' })[0] };
}

beforeAll(async () => {
  folder = await drawShapes(6); // 72 pairs: 9 batches an epoch
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the API starts ranks, whose events are those of one job', async () => {
  const input = {
    distributed: true,
    nprocPerNode: 2,
    distributedBackend: 'gloo' as const,
    logs: join(folder, 'logs'),
    modelName: join(folder, 'model.json'),
  };
  const lines: string[] = [];
  const onProgress = (event: ProgressEvent): void => void (event.type === 'log' && lines.push(event.line));
  const training = { batchSize: 8, epochs: EPOCHS, numWarmupSteps: 2, numWorkers: 1, logEvery: 1 };
  const { checkpoint, history } = await cc.train({
    ...input,
    ...training,
    name: 'undisturbed',
    trainData: join(folder, 'train.csv'),
    onProgress,
  });
  expect(checkpoint).toBe(join(folder, 'logs/undisturbed/checkpoints/epoch_8.pt'));
  expect(history).toHaveLength(9 * EPOCHS);
  expect(lines.filter((line) => line.includes('Num parameters'))).toHaveLength(1);

  const metrics = await cc.evaluate({ ...input, name: 'measured', checkpoint, evalTestDataDir: join(folder, 'test') });
  expect(metrics).toMatchObject({ zeroshot_top1: expect.any(Number), zeroshot_top10: expect.any(Number) });
  expect(readFileSync(join(folder, 'logs/measured/output.log'), 'utf8')).toContain('2 ranks over gloo');
});

test('a run goes on with the same losses after Ctrl-C, which all processes get, and after a killed rank', async () => {
  const disturbed = (...more: string[]): Running => run('disturbed', '--epochs', String(EPOCHS), ...more);
  const interrupted = disturbed();
  await until(() => curve(folder, 'disturbed').length >= 3);
  process.kill(-interrupted.child.pid!, 'SIGINT');
  expect(await interrupted.ended).toMatchObject({
    code: 130,
    stderr: expect.stringMatching(/^cleanclip-train: Training was stopped at step \d+; it is saved/),
  });
  expect(processesWith(mark('disturbed'))).toEqual([]);

  const killed = disturbed('--resume', 'auto');
  await until(() => curve(folder, 'disturbed').length >= 10);
  const killedAt = performance.now();
  process.kill(processesWith({ ...mark('disturbed'), RANK: '1' })[0], 'SIGKILL');
  expect(await killed.ended).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^cleanclip-train: Rank 1 of 2 was killed by SIGKILL; .*\n$/),
  });
  expect(performance.now() - killedAt).toBeLessThan(20_000);
  expect(processesWith(mark('disturbed'))).toEqual([]);
  expect(curve(folder, 'disturbed').length).toBeLessThan(9 * EPOCHS);

  const { code, stdout, stderr } = await disturbed('--resume', 'auto').ended;
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout.match(/The last checkpoint is logs\/disturbed\/checkpoints\/epoch_8\.pt/g)).toHaveLength(1);
  expect(curve(folder, 'disturbed')).toEqual(curve(folder, 'undisturbed'));
  expect(readdirSync(join(folder, 'logs/disturbed/checkpoints')).filter((name) => name.startsWith('.'))).toEqual([]);
});

test('a second Ctrl-C ends a rank that waits for another machine', async () => {
  const { child, output, ended, rank } = await runHalf('waiting');
  process.kill(-child.pid!, 'SIGINT');
  await until(() => output.stdout.includes('press Ctrl-C again'));
  expect(running(rank)).toBe(true);
  process.kill(-child.pid!, 'SIGINT');
  expect(await ended).toMatchObject({ code: null, signal: 'SIGINT' });
  await until(() => !running(rank));
});

test('a rank ends when its parent is killed', async () => {
  const { child, rank } = await runHalf('orphaned');
  child.kill('SIGKILL');
  await until(() => !running(rank));
});

test('a rank that is stopped is ended, when the others have given it up', async () => {
  const { ended } = run('stopped', '--epochs', '500', '--distributed_timeout', '15');
  await until(() => curve(folder, 'stopped').length >= 3);
  process.kill(processesWith({ ...mark('stopped'), RANK: '1' })[0], 'SIGSTOP');
  expect(await ended).toMatchObject({ code: 1, stderr: expect.stringMatching(/^cleanclip-train: Rank 0 of 2.*\n$/) });
  expect(processesWith(mark('stopped'))).toEqual([]);
});

test('what every rank says is said once', async () => {
  const { code, stderr } = await run('nothing', '--train_data', 'none.csv').ended;
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^cleanclip-train: .*none\.csv.*\n$/) });
});
