import { join } from 'node:path';

import { WorkerPool } from '../../src/data/worker_pool';
import { temporaryFolder } from './temporary';

interface Task {
  double?: number;
  fail?: string;
  exit?: number;
  throwOutside?: boolean;
  sleep?: number;
}

const folder = temporaryFolder({
  'worker.js': `
    const { workerData } = require('node:worker_threads');
    const { serveTasks } = require(${JSON.stringify(require.resolve('../../src/data/worker_pool'))});
    serveTasks(async ({ double, fail, exit, throwOutside, sleep = 0 }) => {
      await new Promise((resolve) => setTimeout(resolve, sleep));
      if (fail) throw Object.assign(new Error(fail), { code: 'ERR_TORCH' });
      if (exit !== undefined) process.exit(exit);
      if (throwOutside) setTimeout(() => { throw new Error('out of the blue'); });
      if (throwOutside) await new Promise(() => {});
      return double * workerData;
    });`,
});
const pool = (count = 2): WorkerPool<Task, number> => new WorkerPool(join(folder, 'worker.js'), 2, count);

test('tasks are done and answered, however many', async () => {
  const workers = pool(3);
  const results = await Promise.all(Array.from({ length: 100 }, (_, i) => workers.run({ double: i })));
  expect(results).toEqual(Array.from({ length: 100 }, (_, i) => 2 * i));
  await workers.close();
});

test('an error of a task is its own; the thread goes on', async () => {
  const workers = pool(1);
  const failing = workers.run({ fail: 'no such thing' });
  const next = workers.run({ double: 4 });
  await expect(failing).rejects.toMatchObject({ message: 'no such thing', code: 'ERR_TORCH' });
  expect(await next).toBe(8);
  await workers.close();
});

test.each([
  [{ exit: 3 }, /ended: exit code 3/],
  [{ exit: 0 }, /ended: exit code 0/],
  [{ throwOutside: true }, /ended: out of the blue/],
])('when a thread dies, its tasks and all later ones are refused (%#)', async (task, message) => {
  const workers = pool(1);
  const [dying, waiting] = [workers.run(task), workers.run({ double: 1 })];
  await expect(dying).rejects.toThrow(message);
  await expect(waiting).rejects.toThrow(message);
  await expect(workers.run({ double: 1 })).rejects.toThrow(message);
  await workers.close();
});

test('closing lets tasks finish; afterwards there are no more', async () => {
  const workers = pool(1);
  const last = workers.run({ double: 5, sleep: 50 });
  await workers.close();
  expect(await last).toBe(10);
  await expect(workers.run({ double: 1 })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  await workers.close();
});

test('a module that cannot be loaded is named', async () => {
  const workers = new WorkerPool(join(folder, 'missing.js'), 2, 1);
  await expect(workers.run({ double: 1 })).rejects.toThrow(/missing\.js/);
  await workers.close();
});
