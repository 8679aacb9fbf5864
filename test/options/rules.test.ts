import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Command } from 'commander';

import { addOptions, toInput } from '../../src/cli/option_table';
import { poison, run } from '../../src/jobs';
import { poisonOptions } from '../../src/options/poison';
import { trainOptions } from '../../src/options/train';
import { command } from '../support/command';

const started: unknown[] = [];
jest.mock('node:worker_threads', () => {
  const threads = jest.requireActual<object>('node:worker_threads');
  return { ...threads, Worker: jest.fn((...given: unknown[]) => started.push(given)) };
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cleanclip-rules-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What a command makes of its line. */
function inputOf(line: string, table: typeof trainOptions | typeof poisonOptions): Record<string, unknown> {
  const program = addOptions(new Command(), table).parse(line.split(' ').filter(Boolean), { from: 'user' });
  return toInput(table, program.opts());
}

const sets = '--eval_train_data_dir train --eval_test_data_dir test';
const training: [line: string, sentence: string][] = [
  ['--eval a=b a=c', '--eval must name each set once, but names a twice.'],
  [
    '--eval a=b --train_data train.csv',
    '--eval measures a CLIP zero-shot on several sets; leave it out to train, or for a classifier.',
  ],
  [
    '--save_predictions 4 --eval a=b',
    '--save_predictions needs --eval_test_data_dir, the folder of the labelled set whose images it stores.',
  ],
  [
    '--eval a=b --eval_test_data_dir test',
    '--eval and --eval_test_data_dir both name labelled sets; give all of them with --eval.',
  ],
  ['', 'There is nothing to do; give --train_data to train, or --eval_test_data_dir or --validation_data to evaluate.'],
  [
    '--augment_on device --eval_test_data_dir test',
    '--augment_on device is for --train_data; add that flag, or leave it out.',
  ],
  [
    `--finetune --linear_probe ${sets}`,
    '--finetune trains the image encoder, which --linear_probe keeps frozen; give one of them.',
  ],
  [
    `--finetune --train_data a.csv ${sets}`,
    '--finetune trains on the labelled images of --eval_train_data_dir; leave out --train_data or --finetune.',
  ],
  [
    '--finetune --eval_test_data_dir test',
    '--finetune needs --eval_train_data_dir, the folder of its labelled training images.',
  ],
  [
    '--linear_probe --eval_test_data_dir test',
    '--linear_probe needs --eval_train_data_dir, the folder of its labelled training images.',
  ],
  [
    '--linear_probe --eval_train_data_dir train',
    '--linear_probe needs --eval_test_data_dir, the folder of the labelled images to measure on.',
  ],
  [sets, '--eval_train_data_dir is for --finetune or --linear_probe; add one of them, or leave it out.'],
  [
    '--backdoor_sufi --eval_test_data_dir test',
    '--backdoor_sufi is for --finetune or --linear_probe; add one of them, or leave it out.',
  ],
  [
    `--finetune --num_backdoor 9 ${sets}`,
    '--num_backdoor is how many images --backdoor_sufi poisons; add that flag, or leave it out.',
  ],
  [
    '--train_data a.csv --eval_data_type CIFAR10',
    '--eval_data_type says what --eval_test_data_dir holds; name that folder, or leave it out.',
  ],
  ['--train_data a.csv --asr', '--asr measures on labelled images; name their folder with --eval_test_data_dir.'],
  [
    '--validation_data a.csv --add_backdoor',
    '--add_backdoor measures on labelled images; name their folder with --eval_test_data_dir.',
  ],
  [
    '--train_data a.csv --pretrained --checkpoint a.pt',
    "--pretrained starts from OpenAI's weights and --checkpoint from those of a file; give one of them.",
  ],
  [
    '--validation_data a.csv --pretrained --model_name ViT-B-32',
    "OpenAI has released no weights of 'ViT-B-32', only of RN50, RN101, RN50x4, ViT-B/32, ViT-B" +
      '/16, ViT-L/14; choose one of these, or load a file.',
  ],
  [
    '--train_data a.csv --complete_finetune',
    '--complete_finetune starts from a trained model; give it with --checkpoint or --pretrained.',
  ],
  [
    '--train_data a.csv --progressive',
    '--progressive and --progressive_epochs go together: the removal, and the epochs after which it is done.',
  ],
  [
    '--train_data a.csv --progressive_epochs 2',
    '--progressive and --progressive_epochs go together: the removal, and the epochs after which it is done.',
  ],
  [
    '--train_data a.csv --local_loss',
    '--local_loss needs --gather_with_grad: without the gradients of the other ranks it would leave out half of its ' +
      'own.',
  ],
  [
    '--train_data a.csv --local_loss --gather_with_grad --unlearn',
    '--local_loss does not go with --unlearn, whose pairs are not spread evenly over the ranks; leave it out.',
  ],
  [
    '--validation_data a.csv --eval_every_steps 5',
    '--eval_every_steps is for training; add --train_data or --finetune, or leave it out.',
  ],
  [
    '--train_data a.csv --eval_every_epochs 0',
    '--eval_every_epochs needs something to measure on; add --eval_test_data_dir or --validation_data.',
  ],
  [
    `--finetune --best_metric loss ${sets}`,
    '--best_metric chooses among the checkpoints of --train_data; add that flag, or leave it out.',
  ],
  ...[
    ['loss --eval_test_data_dir test', 'add --validation_data'],
    ['zeroshot_top1 --validation_data b.csv', 'add --eval_test_data_dir'],
    ['asr_top1 --eval_test_data_dir test --add_backdoor', 'add --asr'],
    ['triggered_zeroshot_top3 --eval_test_data_dir test', 'add --asr or --add_backdoor'],
    [`zeroshot_top1 --linear_probe ${sets}`, 'leave out --linear_probe'],
    ['linear_probe_accuracy --eval_test_data_dir test', 'add --linear_probe'],
  ].map(([line, remedy]): [string, string] => [
    `--train_data a.csv --best_metric ${line}`,
    `--best_metric ${line.split(' ')[0]} is not measured; ${remedy}, or choose another metric.`,
  ]),
  [
    '--train_data a.csv --report_to tensorboard --wandb_project p',
    '--wandb_project is for Weights & Biases; add --wandb, or leave it out.',
  ],
  [
    '--train_data a.csv --wandb --wandb_entity a/b',
    "--wandb_entity must be a name of at most 128 characters without slashes, #, ?, % and :, but is 'a/b'.",
  ],
  ['--train_data a.csv --nproc_per_node 2', '--nproc_per_node is for --distributed; add that flag, or leave it out.'],
  [
    '--train_data a.csv --distributed --nnodes 2',
    '--nnodes 2 needs --node_rank, which of the machines this is: 0 to 1.',
  ],
  [
    '--train_data a.csv --distributed --nproc_per_node 3',
    '--batch_size is divided among 3 ranks, but is 128; make it a multiple of 3.',
  ],
];

test.each(training)('cleanclip-train %s', async (line, message) => {
  const logs = join(folder, 'logs');
  await expect(run({ ...inputOf(line, trainOptions), logs })).rejects.toMatchObject({ code: 'ERR_OPTION', message });
  expect(existsSync(logs)).toBe(false);
  expect(started).toEqual([]);
});

test.each([
  ['--num_backdoor 2', '--templates is missing: expected a classes file with templates for the poisoned captions.'],
  [
    '--num_backdoor 5 --size_train_data 4 --label_consistent',
    '--num_backdoor is 5, but the poisoned set has 4 rows: expected at most that many.',
  ],
])('cleanclip poison %s', async (line, message) => {
  const input = { ...inputOf(line, poisonOptions), trainData: join(folder, 'a.csv') };
  await expect(poison(input)).rejects.toMatchObject({ code: 'ERR_OPTION', message });
  expect(readdirSync(folder)).toEqual([]);
  expect(started).toEqual([]);
});

test('the command says the sentence, and starts nothing', async () => {
  const [line, sentence] = training[training.length - 1];
  const { code, stderr } = await command('cleanclip-train', line.split(' '), folder).ended;
  expect({ code, stderr }).toEqual({ code: 1, stderr: `cleanclip-train: ${sentence}\n` });
  expect(readdirSync(folder)).toEqual([]);
});
