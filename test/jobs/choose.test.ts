import { chooseJob } from '../../src/jobs/choose';
import { resolve } from '../../src/options/define';
import { trainOptions } from '../../src/options/train';

const choose = (input: object): string => chooseJob(resolve(trainOptions, input as Record<string, unknown>));
const sets = { evalTrainDataDir: 'train', evalTestDataDir: 'test' };

test.each([
  [{ trainData: 'a.csv' }, 'train'],
  [{ trainData: 'a.csv', linearProbe: true, ...sets }, 'train'],
  [{ evalTestDataDir: 'test', evalDataType: 'CIFAR10', asr: true }, 'evaluate'],
  [{ validationData: 'a.csv' }, 'evaluate'],
  [{ linearProbe: true, ...sets }, 'evaluate'],
  [{ finetune: true, backdoorSufi: true, numBackdoor: 5, ...sets }, 'supervised'],
  [{ finetune: true, checkpointFinetune: 'finetune.pt', ...sets }, 'evaluate'],
  [{ checkpointFinetune: 'finetune.pt', evalTestDataDir: 'test' }, 'evaluate'],
])('%p asks for %s', (input, job) => {
  expect(choose(input)).toBe(job);
});
