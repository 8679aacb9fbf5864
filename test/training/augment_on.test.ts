import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import * as cc from '../../src/index';
import { drawShapes } from '../support/pairs';

jest.setTimeout(120_000);

let folder: string;
beforeAll(async () => {
  folder = await drawShapes(4); // 48 pairs: 3 steps
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each([1, 2])('--augment_on device trains to the losses of the default (--accum_freq %i)', async (accumFreq) => {
  const losses = async (augmentOn: 'cpu' | 'device'): Promise<unknown[]> => {
    const name = `${augmentOn}_${accumFreq}`;
    const options = {
      trainData: join(folder, 'train.csv'),
      modelName: join(folder, 'model.json'),
      logs: join(folder, 'logs'),
      ...{ batchSize: 16, epochs: 1, lr: 2e-3, numWarmupSteps: 2, numWorkers: 1, seed: 3, logEvery: 1 },
      ...{ device: 'cpu', precision: 'fp32', inmodal: true, accumFreq, augmentOn, name },
    };
    const { history } = await cc.train(options as cc.TrainInput);
    expect(readFileSync(join(folder, 'logs', name, 'params.txt'), 'utf8')).toContain(`augment_on: ${augmentOn}`);
    return history.filter(({ type }) => type === 'train').map(({ loss }) => loss);
  };
  const [onCpu, onDevice] = [await losses('cpu'), await losses('device')];
  expect(onDevice).toHaveLength(3);
  expect(onDevice).toEqual(onCpu); // the pixels have the same bytes
});
