import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { type Tensor, torch } from '../../src/torch';
import { command, type Ended, until } from '../support/command';
import { colourSets } from '../support/labelled';

jest.setTimeout(120_000);

let folder: string;
const run = (args: string[]): Promise<Ended> => command('cleanclip-train', args, folder).ended;
const sets = [
  '--eval_train_data_dir',
  'train',
  '--eval_test_data_dir',
  'test',
  '--model_name',
  'model.json',
  '--num_workers',
  '1',
];
const finetune = [
  ...sets,
  '--finetune',
  '--lr',
  '3e-3',
  '--num_warmup_steps',
  '2',
  '--linear_probe_batch_size',
  '16',
  '--linear_probe_num_epochs',
  '5',
];
const trigger = ['--patch_type', 'yellow', '--patch_location', 'four_corners', '--patch_size', '8', '--label', 'blue'];
const records = (name: string): Record<string, number | string>[] => {
  const file = join(folder, 'logs', name, 'metrics.jsonl');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
  return lines.map((line) => JSON.parse(line) as Record<string, number | string>);
};
const results = (name: string): Record<string, number> =>
  records(name).findLast(({ type }) => type === 'evaluation') as Record<string, number>;

beforeAll(async () => {
  folder = await colourSets(24, 8); // 96 images to train on and 32 to measure on, of 4 classes
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('cleanclip-train --finetune', () => {
  test('learns, saves finetune.pt, and measures it again with --checkpoint_finetune', async () => {
    const { code, stdout } = await run(['--name', 'supervised', ...finetune]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/The last checkpoint is logs\/supervised\/checkpoints\/finetune\.pt/);
    expect(readdirSync(join(folder, 'logs/supervised/checkpoints'))).toEqual(['finetune.pt']);
    expect(results('supervised').finetune_accuracy).toBeGreaterThan(0.8);
    const steps = records('supervised').filter(({ type }) => type === 'train');
    expect(steps.at(-1)).toMatchObject({ epoch: 5, step: 30 });
    const file = torch.load(join(folder, 'logs/supervised/checkpoints/finetune.pt')) as {
      state_dict: Record<string, Tensor>;
    };
    expect(Object.keys(file.state_dict).slice(0, 2)).toEqual(['linear.weight', 'linear.bias']);
    expect(file.state_dict['model.visual.conv1.weight'].shape).toEqual([4, 3, 3, 3]);

    const again = await run([
      '--name',
      'again',
      '--checkpoint_finetune',
      'logs/supervised/checkpoints/finetune.pt',
      '--eval_test_data_dir',
      'test',
    ]);
    expect(again.code).toBe(0);
    expect(results('again').finetune_accuracy).toBe(results('supervised').finetune_accuracy);
  });

  test('implants a backdoor with --backdoor_sufi, which it would not have without', async () => {
    const attack = [...trigger, '--add_backdoor', '--asr'];
    expect(
      (await run(['--name', 'sufi', ...finetune, ...attack, '--backdoor_sufi', '--num_backdoor', '30'])).code,
    ).toBe(0);
    expect(readFileSync(join(folder, 'logs/sufi/output.log'), 'utf8')).toMatch(
      /Number of train examples: 96, 30 of them poisoned$/m,
    );
    const poisoned = results('sufi');
    expect(poisoned.asr_top1).toBeGreaterThan(0.9);
    expect(poisoned.finetune_accuracy).toBeGreaterThan(0.7);
    expect(poisoned.triggered_finetune_accuracy).toBeLessThan(0.1);
    const clean = [
      '--name',
      'unpoisoned',
      '--finetune',
      '--checkpoint_finetune',
      'logs/supervised/checkpoints/finetune.pt',
      ...sets,
      ...attack,
    ];
    expect((await run(clean)).code).toBe(0);
    expect(results('unpoisoned').asr_top1).toBeLessThan(0.5);
  });

  test('goes on after Ctrl-C with the weights of an undisturbed run', async () => {
    const every = ['--log_every', '1'];
    const { child, ended } = command('cleanclip-train', ['--name', 'stopped', ...finetune, ...every], folder);
    await until(() => records('stopped').length >= 8);
    child.kill('SIGINT');
    expect(await ended).toMatchObject({
      code: 130,
      stderr: expect.stringMatching(/^cleanclip-train: Finetuning was stopped at step \d+; it is saved/m),
    });
    expect(readdirSync(join(folder, 'logs/stopped/checkpoints'))).toEqual(['finetune_step.pt']);
    expect((await run(['--name', 'stopped', ...finetune, ...every])).stderr).toMatch(/--resume auto/);
    expect((await run(['--name', 'stopped', ...finetune, ...every, '--resume', 'auto'])).code).toBe(0);

    const weights = (name: string): number[][] => {
      const { state_dict: state } = torch.load(join(folder, 'logs', name, 'checkpoints/finetune.pt')) as {
        state_dict: Record<string, Tensor>;
      };
      return Object.values(state).map((tensor) => Array.from(tensor.data() as Float32Array, Number));
    };
    expect(weights('stopped')).toEqual(weights('supervised'));
    expect(
      records('stopped')
        .filter(({ type }) => type === 'train')
        .map(({ step }) => step),
    ).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
  });

  test('does not go on with the state of another optimizer', async () => {
    const content = torch.load(join(folder, 'logs/supervised/checkpoints/finetune.pt')) as object;
    mkdirSync(join(folder, 'logs/foreign/checkpoints'), { recursive: true });
    torch.save(
      { ...content, epoch: 1, batch: 0, step: 6, optimizer: { state: {}, param_groups: 'sgd' } },
      join(folder, 'logs/foreign/checkpoints/finetune_step.pt'),
    );
    const { code, stderr } = await run(['--name', 'foreign', ...finetune, '--resume', 'auto']);
    expect(stderr).toMatch(
      /^cleanclip-train: The optimizer of '.*finetune_step\.pt' is not taken: .* start a new one with --checkpoint\.$/m,
    );
    expect(code).not.toBe(0);
  });

  test("puts the finetuned image encoder into --checkpoint's model when it is not to be finetuned", async () => {
    const state = (
      torch.load(join(folder, 'logs/supervised/checkpoints/finetune.pt')) as { state_dict: Record<string, Tensor> }
    ).state_dict;
    const clip = Object.entries(state)
      .filter(([name]) => name.startsWith('model.'))
      .map(([name, tensor]) => [name.slice(6), tensor.mul(0)]);
    torch.save({ state_dict: Object.fromEntries(clip), epoch: 3 }, join(folder, 'blank.pt'));
    const given = ['--checkpoint', 'blank.pt', '--checkpoint_finetune', 'logs/supervised/checkpoints/finetune.pt'];
    const probe = ['--linear_probe', ...sets, '--linear_probe_num_epochs', '20'];
    expect((await run(['--name', 'combined', ...given, ...probe])).code).toBe(0);
    expect(results('combined').linear_probe_accuracy).toBeGreaterThan(0.8);
    expect((await run(['--name', 'blank', '--checkpoint', 'blank.pt', ...probe])).code).toBe(0);
    expect(results('blank').linear_probe_accuracy).toBeLessThan(0.5);
  });

  test.each([
    [[...finetune, '--linear_probe'], /--finetune trains the image encoder, which --linear_probe keeps frozen/],
    [
      [...finetune, '--backdoor_sufi', ...trigger, '--num_backdoor', '97'],
      /--num_backdoor is 97, but the labelled training set has 96 images/,
    ],
    [[...finetune, '--backdoor_sufi'], /--label must be one of the 4 classes .*'banana'/],
    [[...finetune, '--eval_data_type', 'CIFAR10'], /train has 4 classes, but CIFAR10 has 10/],
    [
      [
        '--linear_probe',
        '--eval_train_data_dir',
        'three',
        '--eval_test_data_dir',
        'test',
        '--model_name',
        'model.json',
      ],
      /three has 3 classes and test has 4/,
    ],
    [
      ['--checkpoint_finetune', 'none.pt', '--eval_test_data_dir', 'test'],
      /There is no checkpoint 'none\.pt'; give --checkpoint_finetune the finetune\.pt of a supervised finetuning\./,
    ],
    [
      ['--checkpoint_finetune', 'three/other.pt', '--eval_test_data_dir', 'test'],
      /three\/other\.pt' holds no classifier/,
    ],
    [
      ['--checkpoint_finetune', 'logs/supervised/checkpoints/finetune.pt', '--eval_test_data_dir', 'three'],
      /has 4 classes, and the labelled set has 3/,
    ],
  ])('refuses %p with one sentence', async (args, message) => {
    mkdirSync(join(folder, 'three'), { recursive: true });
    writeFileSync(join(folder, 'three', 'labels.csv'), 'image,label\n../test/0_0.png,0');
    writeFileSync(
      join(folder, 'three', 'classes.json'),
      JSON.stringify({ classes: ['a', 'b', 'c'], templates: ['{}'] }),
    );
    torch.save({ state_dict: { weight: torch.zeros([2]) } }, join(folder, 'three', 'other.pt'));
    const { code, stderr } = await run(['--name', 'refused', ...args]);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(existsSync(join(folder, 'logs', 'refused', 'checkpoints'))).toBe(false);
  });
});

describe('cleanclip-train --linear_probe', () => {
  const encoder = ['--checkpoint_finetune', 'logs/supervised/checkpoints/finetune.pt'];

  test('learns, and leaves the accuracy and the loss of each epoch in the log', async () => {
    const attack = ['--add_backdoor', '--asr', ...trigger];
    const { code, stdout } = await run([
      '--name',
      'probe',
      ...encoder,
      ...sets,
      '--linear_probe',
      '--linear_probe_num_epochs',
      '20',
      '--linear_probe_batch_size',
      '30',
      ...attack,
    ]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/linear_probe_accuracy: \d\.\d{4}$/m);
    const metrics = results('probe');
    expect(metrics.linear_probe_accuracy).toBeGreaterThan(0.8); // chance is 0.25
    expect(metrics.triggered_linear_probe_accuracy).toBeDefined();
    for (const k of [1, 3, 5, 10]) expect(metrics[`asr_top${k}`]).toBeLessThanOrEqual(1);
    expect(metrics.asr_top5).toBe(1); // of four classes
    const losses = records('probe').filter(({ type }) => type === 'linear_probe');
    expect(losses).toHaveLength(20);
    expect(losses[19].loss).toBeLessThan(losses[0].loss as number);
    expect(losses[0]).toMatchObject({
      probe_epoch: 1,
      probe_step: 4,
      lr: expect.closeTo(0.005 * 0.5 * (1 + Math.cos((Math.PI * 3) / 80)), 9),
    });
  });

  test('measures the model after every epoch of training CLIP', async () => {
    const rows = readFileSync(join(folder, 'train', 'labels.csv'), 'utf8')
      .replace(/,(\d)$/gm, ',class $1')
      .replace('label', 'caption');
    writeFileSync(join(folder, 'train', 'pairs.csv'), rows);
    const train = [
      ...encoder,
      '--train_data',
      'train/pairs.csv',
      '--epochs',
      '2',
      '--batch_size',
      '32',
      '--num_warmup_steps',
      '2',
      '--lr',
      '1e-5',
      '--linear_probe',
    ];
    expect((await run(['--name', 'both', ...sets, ...train])).code).toBe(0);
    const measured = records('both').filter(({ type }) => type === 'evaluation');
    expect(measured.map(({ epoch }) => epoch)).toEqual([0, 1, 2]);
    for (const { linear_probe_accuracy } of measured) expect(linear_probe_accuracy).toBeGreaterThan(0.8);
  });
});
