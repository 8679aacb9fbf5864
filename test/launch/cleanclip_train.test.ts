import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import * as cc from '../../src/index';
import { bin, start, until, type Running } from '../support/command';
import { drawShapes } from '../support/pairs';
import { processesWith, running } from '../support/processes';
import { freePort } from '../torch/distributed/ranks';
import { curve, finished, flags } from './training';

jest.setTimeout(120_000);

let folder: string;
/** A variable by which the processes of a run can be told from others. */
const mark = (name: string): { CLEANCLIP_TEST: string } => ({ CLEANCLIP_TEST: `${process.pid} ${name}` });
const run = (name: string, ...more: string[]): Running =>
  start(process.execPath, [bin('cleanclip-train'), ...flags(name, '--distributed', '--nproc_per_node', '2', ...more)], folder, { env: mark(name), detached: true });
/** The first of two machines, of which the second one never comes. */
async function runHalf(name: string): Promise<Running & { rank: number }> {
  const where = ['--nnodes', '2', '--node_rank', '0', '--nproc_per_node', '1', '--distributed_init_method', `tcp://127.0.0.1:${await freePort()}`];
  const half = run(name, ...where);
  const atWork = (pid: number): boolean => readFileSync(`/proc/${pid}/maps`, 'latin1').includes('libtorch_cpu');
  await until(() => processesWith({ ...mark(name), RANK: '0' }).some(atWork));
  return { ...half, rank: processesWith({ ...mark(name), RANK: '0' })[0] };
}
const savedStep = (name: string): boolean => existsSync(join(folder, 'logs', name, 'checkpoints', 'step.pt'));

beforeAll(async () => {
  folder = await drawShapes(6); // 72 pairs: 9 batches an epoch
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('ranks train together: one log, one metrics.jsonl, one last line', async () => {
  const { code, stdout, stderr } = await run('undisturbed').ended;
  expect({ code, stderr }).toMatchObject({ code: 0, stderr: '' });
  expect(stdout.match(/The last checkpoint is logs\/undisturbed\/checkpoints\/epoch_2\.pt/g)).toHaveLength(1);
  expect(stdout.match(/Num parameters/g)).toHaveLength(1);
  expect(curve(folder, 'undisturbed').map(([step]) => step)).toEqual(Array.from({ length: 18 }, (_, i) => i + 1));
});

test('a rank is killed: the others end within seconds, the error names it, and the run goes on from its last checkpoint', async () => {
  const { ended } = run('killed');
  await until(() => curve(folder, 'killed').length >= 8 && savedStep('killed'));
  const killedAt = performance.now();
  process.kill(processesWith({ ...mark('killed'), RANK: '1' })[0], 'SIGKILL');
  const { code, stderr } = await ended;
  expect(performance.now() - killedAt).toBeLessThan(8000);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^cleanclip-train: Rank 1 of 2 was killed by SIGKILL; .*\n$/);
  expect(processesWith(mark('killed'))).toEqual([]);
  expect(finished(folder, 'killed')).toBe(false);

  expect(await run('killed', '--resume', 'auto').ended).toMatchObject({ code: 0 });
  expect(curve(folder, 'killed')).toEqual(curve(folder, 'undisturbed'));
  expect(readdirSync(join(folder, 'logs/killed/checkpoints')).filter((name) => name.startsWith('.'))).toEqual([]);
});

test('Ctrl-C reaches all processes: they save, end with 130, and the run goes on where it was', async () => {
  const { child, ended } = run('interrupted');
  await until(() => curve(folder, 'interrupted').length >= 3);
  process.kill(-child.pid!, 'SIGINT');
  const { code, stderr } = await ended;
  expect(code).toBe(130);
  expect(stderr).toMatch(/^cleanclip-train: Training was stopped at step \d+; it is saved/);
  expect(processesWith(mark('interrupted'))).toEqual([]);

  expect(await run('interrupted', '--resume', 'auto').ended).toMatchObject({ code: 0 });
  expect(curve(folder, 'interrupted')).toEqual(curve(folder, 'undisturbed'));
});

test('a second Ctrl-C ends a rank that waits for another machine', async () => {
  const { child, output, ended, rank } = await runHalf('waiting');
  process.kill(-child.pid!, 'SIGINT');
  await until(() => output.stdout.includes('press Ctrl-C again'));
  expect(running(rank)).toBe(true);
  process.kill(-child.pid!, 'SIGINT');
  expect(await ended).toMatchObject({ code: 130 });
  await until(() => !running(rank), 5);
});

test('a rank ends when its parent is killed', async () => {
  const { child, rank } = await runHalf('orphaned');
  child.kill('SIGKILL');
  await until(() => !running(rank), 5);
});

test('a rank that is stopped is ended, when the others have given it up', async () => {
  const { ended } = run('stopped', '--epochs', '500', '--distributed_timeout', '3');
  await until(() => curve(folder, 'stopped').length >= 3);
  process.kill(processesWith({ ...mark('stopped'), RANK: '1' })[0], 'SIGSTOP');
  expect(await ended).toMatchObject({ code: 1, stderr: expect.stringMatching(/^cleanclip-train: Rank 0 of 2.*\n$/) });
  expect(processesWith(mark('stopped'))).toEqual([]);
});

test('what every rank says is said once', async () => {
  const { code, stderr } = await run('nothing', '--train_data', 'none.csv').ended;
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^cleanclip-train: .*none\.csv.*\n$/) });
});

test('the API starts ranks as the command does', async () => {
  const input = { distributed: true, nprocPerNode: 2, distributedBackend: 'gloo' as const, logs: join(folder, 'logs'), modelName: join(folder, 'model.json') };
  const trained = await cc.train({ ...input, name: 'api', trainData: join(folder, 'train.csv'), batchSize: 24, epochs: 1, numWarmupSteps: 2 });
  expect(trained.checkpoint).toBe(join(folder, 'logs/api/checkpoints/epoch_1.pt'));
  const metrics = await cc.evaluate({ ...input, name: 'measured', checkpoint: trained.checkpoint, evalTestDataDir: join(folder, 'test') });
  expect(metrics).toMatchObject({ zeroshot_top1: expect.any(Number), zeroshot_top10: expect.any(Number) });
  expect(readFileSync(join(folder, 'logs/measured/output.log'), 'utf8')).toContain('2 ranks over gloo');
});
