import { rmSync } from 'node:fs';
import { join } from 'node:path';

import * as cc from '../../src/index';
import { drawShapes } from '../support/pairs';

let folder: string;
beforeAll(async () => {
  folder = await drawShapes(4);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const options = (
  name: string,
): { name: string; trainData: string; modelName: string; logs: string; batchSize: number; epochs: number } => ({
  name,
  trainData: join(folder, 'train.csv'),
  modelName: join(folder, 'model.json'),
  logs: join(folder, 'logs'),
  batchSize: 16,
  epochs: 1,
});

describe('a job', () => {
  test('leaves the event loop of its caller free', async () => {
    let longest = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 5);
    const { history } = await cc.train(options('free'));
    clearInterval(timer);
    const seconds = history.reduce((sum, record) => sum + (record.time as number), 0);
    expect(longest).toBeLessThan(Math.max(300, 500 * seconds));
  });

  test('does not begin when its signal was aborted before', async () => {
    const signal = AbortSignal.abort();
    await expect(cc.train({ ...options('never'), signal })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  });

  test('rejects with the error of its thread: class, code and message', async () => {
    const failed = cc.train({ ...options('failed'), trainData: join(folder, 'none.csv') });
    await expect(failed).rejects.toBeInstanceOf(cc.CleanclipError);
    await expect(failed).rejects.toMatchObject({ code: 'ERR_DATA', message: expect.stringContaining('none.csv') });
  });
});
