import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { commandName, type JobCommandName, jobCommands } from '../../src/options/commands';
import { bin, command, type Ended, start } from '../support/command';
import { drawShapes } from '../support/pairs';

jest.setTimeout(60_000);

let folder: string;
beforeAll(async () => {
  folder = await drawShapes(4); // 48 pairs
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const split = (line: string): string[] => line.split(' ').filter(Boolean);
const cleanclip = (line: string): Promise<Ended> => command('cleanclip', split(line), folder).ended;
const train = (line: string): Promise<Ended> =>
  command('cleanclip-train', ['--num_workers', '1', ...split(line)], folder).ended;
const training = (name: string): string =>
  `--name ${name} --train_data train.csv --model_name model.json --batch_size 8 --epochs 2 --num_warmup_steps 2`;
const checkpoint = 'logs/quiet/checkpoints/epoch_2.pt';
const embed = `embed --checkpoint ${checkpoint} --num_workers 1 --quiet`;
const count = String.raw`\d+\.\d{4}`;

/** Commands in the order in which each finds what it needs, and all that they print. */
const results: [line: string, stdout: RegExp][] = [
  [`poison --train_data train.csv --templates test/classes.json --num_backdoor 3 --image_size 32`, /^3 rows are .*\n$/],
  [`cleanclip-train ${training('quiet')}`, new RegExp(`^The last checkpoint is ${checkpoint}\n$`)],
  [
    `cleanclip-train ${training('ranks')} --distributed --nproc_per_node 2 --distributed_backend gloo`,
    /^The last checkpoint is logs\/ranks\/checkpoints\/epoch_2\.pt\n$/,
  ],
  [
    `cleanclip-train --name alone --checkpoint ${checkpoint} --eval_test_data_dir test --validation_data train.csv`,
    new RegExp(`^loss: ${count}\nzeroshot_top1: ${count}\nzeroshot_top3: ${count}\n(zeroshot_top\\d+: ${count}\n)+$`),
  ],
  [`${embed} --train_data train.csv --output pairs.safetensors`, /^48 images and 48 captions, .*\n$/],
  [`${embed} --eval_test_data_dir test --output set.safetensors`, /^12 images and 12 classes, .*\n$/],
  [`zeroshot --embeddings set.safetensors --k 1`, new RegExp(`^zeroshot_top1: ${count}\n$`)],
  [
    `linear-probe --train_embeddings set.safetensors --test_embeddings set.safetensors --num_epochs 2`,
    new RegExp(`^linear_probe_accuracy: ${count}\n$`),
  ],
  [`retrieval --embeddings pairs.safetensors`, /^file .*\n.*pairs\.safetensors .*\n$/],
  [`convert ${checkpoint} clip.safetensors --to safetensors`, /^.*clip\.safetensors is written\n$/],
  [`augment-text --input train.csv --output text.csv`, /^.*text\.csv has 48 rows, and the column augmented_caption\n$/],
  [`augment-image --input train.csv --output image.csv`, /^.*image\.csv has 48 rows, and the column .*\n$/],
  [
    `prepare relocate --input train.csv --images images --output moved.csv`,
    /^.*moved\.csv has 48 rows of 48 images\n$/,
  ],
  [`plot --embeddings set.safetensors --method pca --output points.csv`, /^.*\nWritten: .*points\.csv\n$/],
  [`report logs/quiet --output report.html`, /^.*report\.html is written, with 1 run: quiet\n$/],
];

test.each(results)('--quiet leaves the result alone: %s', async (line, stdout) => {
  const ended = await (line.startsWith('cleanclip-train ')
    ? train(`${line.replace('cleanclip-train ', '')} --quiet`)
    : cleanclip(`${line.replace(' --quiet', '')} --quiet`));
  expect(ended).toEqual({ code: 0, signal: null, stderr: '', stdout: expect.stringMatching(stdout) });
});

const names = [...(Object.keys(jobCommands) as JobCommandName[]).map(commandName), 'setup', 'doctor'];
test.each(names)('cleanclip %s --help names --quiet', async (name) => {
  const { code, stdout } = await cleanclip(`${name} --help`);
  expect(code).toBe(0);
  expect(stdout).toMatch(/--quiet +print only the result, warnings and errors/);
});

test('setup and doctor take --quiet', async () => {
  expect(await cleanclip('setup --quiet')).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.stringMatching(/^The addon is ready, built against libtorch .*\n$/),
  });
  const [loud, quiet] = [await cleanclip('doctor'), await cleanclip('doctor --quiet')];
  expect(quiet).toEqual(loud);
});

test.each([
  ['cleanclip', ['poison', '--quiet', '--numbackdoor', '2'], /^cleanclip: There is no option --numbackdoor; .*\n$/],
  ['cleanclip', ['poison', '--num_backdoor', 'x', '--quiet'], /^cleanclip poison: --num_backdoor must be .*\n$/],
  ['cleanclip-train', ['--quiet', '--batch_size', 'many'], /^cleanclip-train: --batch_size must be .*\n$/],
  ['cleanclip-train', ['--quiet'], /^cleanclip-train: There is nothing to do; .*\n$/],
] as const)('with --quiet %s %p still gives its sentence', async (program, args, stderr) => {
  expect(await command(program, [...args], folder).ended).toEqual({
    code: 1,
    signal: null,
    stdout: '',
    stderr: expect.stringMatching(stderr),
  });
});

test('with --quiet warnings stay, on stderr, and the files are as without it', async () => {
  const rows = readFileSync(join(folder, 'train.csv'), 'utf8').trim();
  writeFileSync(join(folder, 'broken.png'), 'no picture');
  writeFileSync(join(folder, 'broken.csv'), `${rows}\nbroken.png,a broken picture\n`);
  const line = `--checkpoint ${checkpoint} --validation_data broken.csv --name`;
  const [loud, quiet] = [await train(`${line} loud`), await train(`${line} hushed --quiet`)];
  expect(quiet.code).toBe(0);
  expect(quiet.stderr).toMatch(/^\S+ \| WARNING \| Validation: 1 of 49 pairs are left out, .*\n$/);
  expect(quiet.stdout).toMatch(new RegExp(`^loss: ${count}\n$`));
  const log = (name: string, file: string): string =>
    readFileSync(join(folder, 'logs', name, file), 'utf8').replace(/^\S+,\S+ \| /gm, '');
  expect(log('hushed', 'output.log')).toBe(log('loud', 'output.log'));
  expect(log('hushed', 'metrics.jsonl')).toBe(log('loud', 'metrics.jsonl'));
  expect(loud.stdout.replace(/^\S+,\S+ \| /gm, '')).toBe(log('loud', 'output.log'));
});

describe('progress', () => {
  const isPlain = (text: string): boolean => !['\x1b', '\r'].some((control) => text.includes(control));

  test('without a terminal there are no control characters', async () => {
    const ended = [
      await train(training('plain')),
      await cleanclip(
        `${embed.replace('--quiet', '')}
      --train_data train.csv --output plain.safetensors`.replace(/\s+/g, ' '),
      ),
    ];
    for (const { code, stdout, stderr } of ended) {
      expect(code).toBe(0);
      expect(isPlain(stdout + stderr)).toBe(true);
    }
    expect(isPlain(readFileSync(join(folder, 'logs/plain/output.log'), 'utf8'))).toBe(true);
  });

  const onTerminal = (name: string, more = ''): Promise<Ended> =>
    start(
      'script',
      ['-qec', [process.execPath, bin('cleanclip-train'), training(name), '--epochs 8', more].join(' '), '/dev/null'],
      folder,
      { env: { SHELL: '/bin/sh' } },
    ).ended;

  test('on a terminal a line shows the rate and the time left; the log has none of it', async () => {
    const { code, stdout } = await onTerminal('shown');
    expect(code).toBe(0);
    expect(stdout.replaceAll('\r\x1b[2K', '\n')).toMatch(
      /\n█+░* \d+% {2}\d+\/48 {2}epoch \d\/8 {2}loss \d\.\d+ {2}[\d.]+\/s {2}\d+ s left/,
    );
    expect(isPlain(readFileSync(join(folder, 'logs/shown/output.log'), 'utf8'))).toBe(true);
  });

  test('on a terminal --quiet shows no such line', async () => {
    const { code, stdout } = await onTerminal('unseen', '--quiet');
    expect(code).toBe(0);
    expect(stdout).toBe('The last checkpoint is logs/unseen/checkpoints/epoch_8.pt\r\n');
  });
});
