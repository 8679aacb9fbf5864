import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

import { torch } from '../../src/torch';

const library = join(__dirname, '../../dist/torch');

async function start(): Promise<Worker> {
  const worker = new Worker(join(__dirname, 'threads_worker.js'), { workerData: { torch: library } });
  await once(worker, 'message');
  return worker;
}

async function ask(worker: Worker, ...order: unknown[]): Promise<unknown> {
  worker.postMessage(order);
  const [{ value, error }] = (await once(worker, 'message')) as [{ value: unknown; error: unknown }];
  return error ?? value;
}

describe('worker threads', () => {
  test('four load the library at once and compute', async () => {
    const workers = await Promise.all([start(), start(), start(), start()]);
    expect(await Promise.all(workers.map((worker) => ask(worker, 'add')))).toEqual([
      [2, 2],
      [2, 2],
      [2, 2],
      [2, 2],
    ]);
    expect(await Promise.all(workers.map((worker) => worker.terminate()))).toEqual([1, 1, 1, 1]);
  });

  test('give and take tensors without copying, once a token', async () => {
    const worker = await start();
    const tensor = torch.tensor([1, 2]);
    const token = torch.share(tensor);
    expect(await ask(worker, 'scale', token)).toEqual([2, 4]);
    expect(tensor.toArray()).toEqual([2, 4]);
    expect(() => torch.take(token)).toThrow('There is no shared tensor with this token; it was taken already.');
    const received = torch.take((await ask(worker, 'make')) as number);
    await worker.terminate();
    expect(received.toArray()).toEqual([7, 7, 7]);
  });

  test('have their own autocast, and errors with codes', async () => {
    const worker = await start();
    expect(await ask(worker, 'fail')).toMatchObject({ name: 'CleanclipError', code: 'ERR_TORCH' });
    const here = torch.autocast({ dtype: 'float16' }, () => torch.ones([1, 1]).mm(torch.ones([1, 1])).dtype);
    expect([await ask(worker, 'autocast'), here]).toEqual(['bfloat16', 'float16']);
    await worker.terminate();
  });

  test.each(['multiply', 'fill'])('are terminated in the middle of: %s', async (order) => {
    for (let round = 0; round < 3; round++) {
      const worker = await start();
      worker.postMessage([order]);
      await wait(30 + 20 * round);
      expect(await worker.terminate()).toBe(1);
    }
    expect(torch.ones([2]).add(1).toArray()).toEqual([2, 2]);
  });
});

describe('a process', () => {
  const run = (script: string) => {
    const { status, signal, stderr } = spawnSync(
      process.execPath,
      ['-e', `const { torch } = require(${JSON.stringify(library)});${script}`],
      { encoding: 'utf8' },
    );
    return { status, signal, stderr };
  };
  const work = 'torch.randn([300, 300], { requiresGrad: true }).pow(2).sum().backward();';
  const worker = `new (require('node:worker_threads').Worker)(${JSON.stringify(`
    const { torch } = require(${JSON.stringify(library)});
    for (;;) torch.tidy(() => torch.randn([300, 300]).mm(torch.randn([300, 300])));`)}, { eval: true });`;

  test.each<[string, string, number]>([
    ['ends by itself', work, 0],
    ['ends by process.exit', `${work} process.exit(3);`, 3],
    ['ends inside a scope', `torch.tidy(() => { ${work} process.exit(4); });`, 4],
    [
      'ends by an uncaught error',
      `${work} process.on('uncaughtException', () => process.exit(5)); torch.ones([2]).view([3]);`,
      5,
    ],
    ['ends while a worker computes', `${work} ${worker} setTimeout(() => process.exit(6), 700);`, 6],
  ])('%s', (_, script, status) => {
    expect(run(script)).toEqual({ status, signal: null, stderr: '' });
  });
});

test('the number of threads is an integer from 1', () => {
  const before = torch.getNumThreads();
  torch.setNumThreads(1);
  expect(torch.getNumThreads()).toBe(1);
  torch.setNumThreads(before);
  for (const count of [0, -1, NaN, 1e9, 1.5])
    expect(() => torch.setNumThreads(count)).toThrow('an integer from 1 to 4,096');
});
