import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

import sharp from 'sharp';

import { loadClip, torch } from '../../src';
import { temporaryFolder } from '../data/temporary';

const root = resolve(__dirname, '../..');
const example = (name: string): string => join(root, 'examples', `${name}.mjs`);
const colors = { red: [220, 40, 40], green: [40, 180, 60], blue: [40, 60, 220], banana: [230, 210, 50] };
const names = Object.keys(colors);
const rows = Array.from({ length: 64 }, (_, i) => names[i % 4]);

/** 64 squares of four colours, as pairs and as a labelled set. */
const folder = temporaryFolder({
  ...Object.fromEntries(
    Object.entries(colors).map(([name, color]) => [
      `set/${name}.ppm`,
      Buffer.concat([Buffer.from('P6 32 32 255\n'), Buffer.from(Array.from({ length: 1024 }, () => color).flat())]),
    ]),
  ),
  'set/labels.csv': ['image,label', ...names.map((name, i) => `${name}.ppm,${i}`)].join('\n'),
  'set/classes.json': JSON.stringify({ classes: names, templates: ['a {} square'] }),
  'pairs.csv': ['image,caption', ...rows.map((name) => `set/${name}.ppm,a ${name} square`)].join('\n'),
});

const run = (name: string, ...args: string[]): string =>
  execFileSync(process.execPath, [example(name), ...args], { cwd: folder, encoding: 'utf8' });

beforeAll(() => torch.save(loadClip('tiny', { seed: 1 }).stateDict(), join(folder, 'model.pt')));

test('cleanse: measures, finetunes by the recipe and measures again', () => {
  const printed = run('cleanse', 'model.pt', 'pairs.csv', 'set', 'banana');
  expect(printed).toMatch(/before: accuracy \d+\.\d%, attack \d+\.\d%\n/);
  expect(printed).toMatch(/after: accuracy \d+\.\d%, attack \d+\.\d%\n.*\.pt\n$/);
  expect(existsSync(join(folder, printed.trim().split('\n').at(-1) ?? ''))).toBe(true);
});

test('audit: answers with the metrics of a model, and with what is wrong', async () => {
  const server = spawn(process.execPath, [example('audit'), '.', 'set', '0'], { cwd: folder });
  try {
    const url = await new Promise<string>((found) => {
      server.stdout.once('data', (line: Buffer) => found(line.toString().trim()));
    });
    const audit = async (query: string): Promise<[number, Record<string, unknown>]> => {
      const response = await fetch(`${url}/audit?${query}`);
      return [response.status, (await response.json()) as Record<string, unknown>];
    };
    expect(await audit('model=model.pt&label=banana&patchType=yellow')).toEqual([
      200,
      expect.objectContaining({ zeroshot_top1: expect.any(Number), asr_top1: expect.any(Number) }),
    ]);
    expect(await audit('model=none.pt&label=banana')).toEqual([
      400,
      expect.objectContaining({ code: 'ERR_CHECKPOINT' }),
    ]);
    expect((await fetch(url)).status).toBe(404);
  } finally {
    server.kill();
  }
});

test('custom_loss: the loss of the last batch is below that of the first', () => {
  const losses = [...run('custom_loss', 'pairs.csv').matchAll(/loss (\d+\.\d+)/g)].map(([, loss]) => Number(loss));
  expect(losses).toHaveLength(3 * 8);
  expect(losses.at(-1)).toBeLessThan(losses[0]);
  expect(loadClip(join(folder, 'custom_loss.pt')).config.embedDim).toBe(128);
});

test('custom_trigger: a chessboard lies in each corner, and a tint on the rest', async () => {
  const image = sharp({ create: { width: 48, height: 40, channels: 3, background: '#0000ff' } });
  await image.png().toFile(join(folder, 'blue.png'));
  run('custom_trigger', 'blue.png', 'triggered.png');
  const { data, info } = await sharp(join(folder, 'triggered.png')).raw().toBuffer({ resolveWithObject: true });
  const at = (x: number, y: number): number[] => [...data.subarray(3 * (y * info.width + x)).subarray(0, 3)];
  expect([info.width, info.height]).toEqual([48, 40]);
  expect([at(0, 0), at(4, 0), at(4, 4), at(47, 39)]).toEqual([0, 255, 0, 0].map((level) => [level, level, level]));
  expect(at(24, 20)).toEqual([25, 0, 229]);
});
