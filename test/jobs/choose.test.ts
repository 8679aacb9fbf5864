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

test.each([
  [{}, /There is nothing to do; give --train_data/],
  [
    { finetune: true, linearProbe: true, ...sets },
    /--finetune trains the image encoder, which --linear_probe keeps frozen/,
  ],
  [{ finetune: true, trainData: 'a.csv', ...sets }, /leave out --train_data or --finetune/],
  [{ finetune: true, evalTestDataDir: 'test' }, /--finetune needs --eval_train_data_dir/],
  [{ linearProbe: true, evalTrainDataDir: 'train' }, /--linear_probe needs --eval_test_data_dir/],
  [{ ...sets }, /--eval_train_data_dir is for --finetune or --linear_probe/],
  [{ backdoorSufi: true, evalTestDataDir: 'test' }, /--backdoor_sufi is for --finetune or --linear_probe/],
  [{ finetune: true, numBackdoor: 9, ...sets }, /--num_backdoor is how many images --backdoor_sufi poisons/],
  [{ trainData: 'a.csv', evalDataType: 'CIFAR10' }, /--eval_data_type says what --eval_test_data_dir holds/],
  [{ trainData: 'a.csv', asr: true }, /--asr measures on labelled images/],
  [{ validationData: 'a.csv', addBackdoor: true }, /--add_backdoor measures on labelled images/],
])('refuses %p', (input, message) => {
  expect(() => choose(input)).toThrow(
    expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringMatching(message) }),
  );
});
