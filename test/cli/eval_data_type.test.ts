import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import sharp from 'sharp';

import { command } from '../support/command';
import { cifarPickle, noise } from '../support/labelled_sets';
import { drawShapes } from '../support/pairs';

jest.setTimeout(120_000);

let folder: string;
beforeAll(async () => {
  folder = await drawShapes(1);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const evaluate = (name: string, set: string): ReturnType<typeof command>['ended'] =>
  command(
    'cleanclip-train',
    [
      '--name',
      name,
      '--model_name',
      'model.json',
      '--eval_data_type',
      'CIFAR10',
      '--eval_test_data_dir',
      set,
      '--num_workers',
      '2',
    ],
    folder,
  ).ended;
const results = (name: string): unknown => {
  const lines = readFileSync(join(folder, 'logs', name, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const { zeroshot_top1, zeroshot_top3, zeroshot_top5 } = lines.find(({ type }) => type === 'evaluation')!;
  return { zeroshot_top1, zeroshot_top3, zeroshot_top5 };
};

/** Pictures of four grey levels and noise, so that a model puts them into more than one class. */
const picture = (i: number): Buffer =>
  noise(3072, i).map((byte) => Math.min(255, (i % 4) * 64 + (byte >> 2))) as Buffer;

test('--eval_data_type CIFAR10 measures on batches what it measures on the same images as PNG files', async () => {
  const count = 40;
  const labels = Array.from({ length: count }, (_, i) => i % 10);
  const pictures = labels.map((_, i) => picture(i));
  mkdirSync(join(folder, 'cifar-10-batches-py'));
  writeFileSync(join(folder, 'cifar-10-batches-py', 'test_batch'), cifarPickle(Buffer.concat(pictures), labels));
  mkdirSync(join(folder, 'png'));
  for (const [i, planes] of pictures.entries()) {
    const interleaved = Buffer.from(
      Array.from({ length: 3072 }, (_, at) => planes[(at % 3) * 1024 + Math.floor(at / 3)]),
    );
    await sharp(interleaved, { raw: { width: 32, height: 32, channels: 3 } })
      .png()
      .toFile(join(folder, 'png', `${i}.png`));
  }
  writeFileSync(
    join(folder, 'png', 'labels.csv'),
    ['image,label', ...labels.map((label, i) => `${i}.png,${label}`)].join('\n'),
  );

  expect(await evaluate('batches', '.')).toMatchObject({ code: 0 });
  expect(await evaluate('files', 'png')).toMatchObject({ code: 0 });
  expect(results('batches')).toEqual(results('files'));
  expect(Object.values(results('files') as object).some((share) => share > 0 && share < 1)).toBe(true);
});

test('a set that is not there ends the command with one sentence', async () => {
  const { code, stderr } = await evaluate('missing', 'test/nowhere');
  expect(code).toBe(1);
  expect(stderr).toMatch(/holds no test images of CIFAR10: expected labels\.csv or cifar-10-batches-py\/test_batch/);
});
