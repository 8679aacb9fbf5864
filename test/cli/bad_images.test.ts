import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { torch } from '../../src/torch';
import { command, until } from '../support/command';
import { drawShapes } from '../support/pairs';

jest.setTimeout(120_000);

let folder: string;
// with --inmodal and images larger than the model's, every epoch reads the files
const flags = (name: string, workers = 1): string[] =>
  [
    ['--name', name],
    ['--train_data', 'train.csv'],
    ['--model_name', 'model.json'],
    ['--batch-size', '8'],
    ['--epochs', '3'],
    ['--inmodal'],
    ['--num_workers', String(workers)],
    ['--log-every', '1'],
  ].flat();
const run = (args: string[]): ReturnType<typeof command> => command('cleanclip-train', args, folder);
const metrics = (name: string): { step: number; bad_rows: number }[] => {
  const file = join(folder, 'logs', name, 'metrics.jsonl');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
  return lines
    .map((line) => JSON.parse(line) as { type: string; step: number; bad_rows: number })
    .filter(({ type }) => type === 'train');
};
const logOf = (name: string): string => readFileSync(join(folder, 'logs', name, 'output.log'), 'utf8');
/** Of the newest checkpoint: step.pt, or that of the epoch if the run ended with one. */
function savedStep(name: string): number {
  const checkpoints = join(folder, 'logs', name, 'checkpoints');
  return Math.max(
    ...readdirSync(checkpoints).map((file) => (torch.load(join(checkpoints, file)) as { step: number }).step),
  );
}
const addRow = (image: string): void => appendFileSync(join(folder, 'train.csv'), `\n${image},a drawing`);

beforeEach(async () => {
  folder = await drawShapes(3); // 36 pairs: 4 batches an epoch
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test.each([0, 1])(
  'a FIFO, a device, a page and a missing file are named, counted and left out (workers: %i)',
  async (workers) => {
    execFileSync('mkfifo', [join(folder, 'images/fifo.png')]);
    writeFileSync(join(folder, 'images/page.png'), '<html>404</html>');
    for (const image of ['images/fifo.png', '/dev/zero', 'images/page.png', 'images/none.png']) addRow(image);
    const { code, stderr } = await run(flags('odd', workers)).ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(metrics('odd').at(-1)).toMatchObject({ bad_rows: 4 });
    const named = logOf('odd')
      .split('\n')
      .filter((line) => line.includes('is skipped'))
      .map((line) => line.slice(line.indexOf('Row')));
    expect(named.sort()).toEqual([
      expect.stringMatching(/Row 37 is skipped: .*fifo\.png'?, but it is a FIFO/),
      expect.stringMatching(/Row 38 is skipped: .*\/dev\/zero'?, but it is a device/),
      expect.stringMatching(/Row 39 is skipped: .*page\.png.*a page or other text/),
      expect.stringMatching(/Row 40 is skipped: .*none\.png/),
    ]);
  },
);

test.each([0, 1])('Ctrl-C ends a run whose rows are FIFOs (workers: %i)', async (workers) => {
  execFileSync('mkfifo', [join(folder, 'images/fifo.png')]);
  for (let i = 0; i < 4; i++) addRow('images/fifo.png');
  const { child, ended } = run([...flags('stopped', workers), '--epochs', '1000']);
  await until(() => metrics('stopped').some(({ bad_rows: bad }) => bad === 4));
  child.kill('SIGINT');
  expect(await ended).toMatchObject({
    code: 130,
    stderr: expect.stringMatching(/^cleanclip-train: Training was stopped at step \d+; it is saved/m),
  });
  expect(savedStep('stopped')).toBeGreaterThanOrEqual(1);
});

test('more bad rows than --max_bad_rows end the run, which is saved and goes on once they are mended', async () => {
  const rest = ['--max_bad_rows', '2'];
  const { ended } = run([...flags('many'), ...rest, '--epochs', '1000']);
  await until(() => metrics('many').length >= 5);
  for (const name of ['0_0', '1_1', '2_2']) {
    copyFileSync(join(folder, `images/${name}.png`), join(folder, `${name}.whole`));
    writeFileSync(join(folder, `images/${name}.png`), 'broken');
  }
  const { code, stderr } = await ended;
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(
      /^cleanclip-train: 3 images cannot be used, more than the 2 that may be left out; .*--max_bad_rows/m,
    ),
  });
  expect(logOf('many')).toMatch(/Stopped at step \d+; --resume auto goes on from there/);
  const step = savedStep('many');
  expect(step).toBeGreaterThanOrEqual(5);
  for (const name of ['0_0', '1_1', '2_2'])
    renameSync(join(folder, `${name}.whole`), join(folder, `images/${name}.png`));
  const resumed = await run([
    ...flags('many'),
    ...rest,
    '--epochs',
    '1000',
    '--resume',
    'auto',
    '--max_steps',
    String(step + 3),
  ]).ended;
  expect(resumed).toMatchObject({ code: 0, stdout: expect.stringContaining(`step ${step})`) });
  expect(metrics('many').at(-1)).toMatchObject({ step: step + 3, bad_rows: 0 });
});

test.each([0, 1])(
  'images that vanish end the run, which is saved and goes on once they are back (workers: %i)',
  async (workers) => {
    const { ended } = run([...flags('gone', workers), '--epochs', '1000']);
    await until(() => metrics('gone').length >= 5); // all were read
    renameSync(join(folder, 'images'), join(folder, 'elsewhere'));
    const { code, stderr } = await ended;
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(
        /^cleanclip-train: The image of row \d+ was read before and is gone; restore it and resume/m,
      ),
    });
    const step = savedStep('gone');
    expect(step).toBeGreaterThanOrEqual(5);
    renameSync(join(folder, 'elsewhere'), join(folder, 'images'));
    const resumed = await run([
      ...flags('gone', workers),
      '--epochs',
      '1000',
      '--resume',
      'auto',
      '--max_steps',
      String(step + 3),
    ]).ended;
    expect(resumed).toMatchObject({ code: 0 });
    expect(metrics('gone').at(-1)).toMatchObject({ step: step + 3, bad_rows: 0 });
  },
);

test('cleanclip poison poisons another row where an image cannot be read, and says which', async () => {
  for (const name of ['1_0', '2_0', '3_0']) writeFileSync(join(folder, `images/${name}.png`), 'broken');
  const args = [
    '--train_data',
    'train.csv',
    '--templates',
    'test/classes.json',
    '--label',
    'red circle',
    '--num_backdoor',
    '33',
    '--image_size',
    '32',
    '--patch_size',
    '8',
  ];
  const { code, stderr } = await command('cleanclip', ['poison', ...args], folder).ended;
  expect(code).toBe(0);
  expect(stderr.trim().split('\n')).toHaveLength(3);
  for (const name of ['1_0', '2_0', '3_0'])
    expect(stderr).toMatch(new RegExp(`^Row \\d+ is poisoned instead of row \\d+: .*${name}\\.png`, 'm'));
});
