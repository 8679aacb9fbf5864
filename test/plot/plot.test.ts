import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import sharp from 'sharp';

import { train } from '../../src/jobs';
import { embed } from '../../src/jobs/embeddings';
import { plot as drawPlot } from '../../src/jobs/pictures';
import { torch } from '../../src/torch';
import { temporaryFolder } from '../data/temporary';
import { command } from '../support/command';
import { classes, drawShapes } from '../support/pairs';
import { trained, writeRun } from '../support/run_folders';
import { writePairs, writeSet } from './embeddings';

const folder = temporaryFolder();
const plot = (...args: string[]): ReturnType<typeof command>['ended'] =>
  command('cleanclip', ['plot', ...args], folder).ended;
const text = (name: string): string => readFileSync(join(folder, name), 'utf8');
const rows = (name: string): string[][] =>
  text(name)
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(','));

beforeAll(() => {
  writeSet(join(folder, 'before.safetensors'));
  writeSet(join(folder, 'after.safetensors'), { pull: 0.1 });
  writePairs(join(folder, 'pairs.safetensors'));
  writeRun(join(folder, 'logs/<b>&'), { params: { name: 'a' }, records: trained() });
  writeRun(join(folder, 'logs/b'), { params: { name: 'b' }, records: trained(4) });
});

test('draws two files side by side: five classes by colour, and triangles for triggered copies', async () => {
  const files = ['--embeddings', 'before.safetensors', 'after.safetensors'];
  const args = ['--method', 'tsne', '--iterations', '250', '--perplexity', '5', '--titles', 'a<b', 'then'];
  const { code, stdout } = await plot(...files, ...args, '-o', 'two');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^a<b: 200 points, 20 class a, .*20 class e \(triggered\)\.\nthen: 200 points/);
  const drawn = rows('two.csv');
  expect(drawn).toHaveLength(400);
  expect(new Set(drawn.map(([panel]) => panel))).toEqual(new Set(['a<b', 'then']));
  expect(new Set(drawn.map(([, , , , group, , symbol]) => `${group.includes('triggered')} ${symbol}`))).toEqual(
    new Set(['false circle', 'true triangle']),
  );
  expect(drawn[1].slice(4)).toEqual(['class b', '1', 'circle', '0', 'images/1.png']);
  expect(text('two.svg')).toContain('>a&lt;b</text>');
  const { width, height, format } = await sharp(join(folder, 'two.png')).metadata();
  expect([format, width, height > 900]).toEqual(['png', 1856, true]);
  // Before cleansing triggered copies lie around the target class; after it, each lies by its own image.
  const distance = (panel: string): number => {
    const own = drawn.filter((row) => row[0] === panel).map(([, , x, y]) => [Number(x), Number(y)]);
    const mean = own.slice(0, 100).map(([x, y], i) => Math.hypot(x - own[100 + i][0], y - own[100 + i][1]));
    return mean.reduce((a, b) => a + b) / mean.length;
  };
  expect(distance('then')).toBeLessThan(distance('a<b') / 4);
});

test('the same seed gives the same bytes, and another seed other points', async () => {
  const draw = (name: string, seed: string): Promise<unknown> =>
    plot('--embeddings', 'pairs.safetensors', '--max_points', '40', '--seed', seed, '-o', `${name}.csv`);
  await Promise.all([draw('s1', '1'), draw('s1again', '1'), draw('s2', '2')]);
  expect(text('s1.csv')).toBe(text('s1again.csv'));
  expect(text('s1.csv')).not.toBe(text('s2.csv'));
  expect(rows('s1.csv')).toHaveLength(40);
  expect(rows('s1.csv').filter(([, , , , group]) => group === 'poisoned')).toHaveLength(10);
  expect(existsSync(join(folder, 's1.svg'))).toBe(false);
});

test('splits pairs into detected and undetected, by row or by image', async () => {
  writeFileSync(join(folder, 'rows.csv'), 'row\n0\n1\n2\n50\n');
  writeFileSync(
    join(folder, 'images.csv'),
    'image,score\nimages/0.png,1\nelsewhere/1.png,1\nimages/2.png,1\n50.png,0\n',
  );
  for (const detected of ['rows.csv', 'images.csv']) {
    const { stdout } = await plot('--embeddings', 'pairs.safetensors', '--detected', detected, '-o', 'd.svg');
    expect(stdout).toContain(
      '90 points, 79 clean, 1 clean (detected), 7 poisoned (undetected), 3 poisoned (detected).',
    );
  }
  const { stdout } = await plot('--embeddings', 'pairs.safetensors', '--of', 'texts', '-o', 't.svg');
  expect(stdout).toContain('80 clean, 10 poisoned.');
});

test('draws the curves of runs, with escaped names', async () => {
  const { code, stdout } = await plot('logs/<b>&', 'logs/b', '-o', 'curves');
  expect(code).toBe(0);
  expect(stdout).toContain('Attack success rate (ASR), top 1, by step. <b>& goes from 80.0% at step 10 to 60.0%');
  expect(text('curves.svg')).toContain('&lt;b&gt;&amp;</text>');
  expect(text('curves.csv')).toMatch(/^b,"Attack success rate \(ASR\), top 1",30,0\.6/m);
  expect((await sharp(join(folder, 'curves.png')).stats()).isOpaque).toBe(true);
});

describe('refuses with a sentence, and writes nothing:', () => {
  beforeAll(() => {
    const save = (name: string, tensors: Record<string, unknown>): void => {
      const [image_embeddings, image_rows] = [torch.ones([4, 2]), torch.arange(4).to('int64')];
      const whole = {
        image_embeddings,
        un_image_embeddings: image_embeddings.mul(1),
        text_embeddings: torch.ones([1, 2]),
      };
      torch.save({ ...whole, image_rows, ...tensors }, join(folder, name));
    };
    torch.save({ x: torch.zeros([2]) }, join(folder, 'other.safetensors'));
    save('flat.safetensors', { image_embeddings: torch.zeros([4]) });
    save('nan.safetensors', { image_embeddings: torch.zeros([4, 2]).div(0) });
    save('l.safetensors', { labels: torch.zeros([3]).to('int64') });
    writeFileSync(join(folder, 'torn.safetensors'), readFileSync(join(folder, 'before.safetensors')).subarray(0, 900));
    writeFileSync(join(folder, 'far.csv'), 'row\n90\n');
    writeRun(join(folder, 'logs/empty'), { params: {}, records: [] });
  });
  test.each([
    [[], /Expected folders of runs, LOGS, .*, or models, --checkpoint, but none of them came; give one\./],
    [['logs/b', '--embeddings', 'pairs.safetensors'], /but 2 of them came; give one\./],
    [['--checkpoint', 'a.pt'], /Expected one of --train_data, .*, the set to embed, but there is none\./],
    [['--embeddings', 'pairs.safetensors', '--train_data', 'a.csv'], /'a\.csv' is a set to embed: give --checkpoint/],
    [['--checkpoint', 'none.pt', '--train_data', 'rows.csv'], /none\.pt/],
    [['--checkpoint', 'a.pt', '--eval_test_data_dir', 'b', '--of', 'texts'], /--of texts draws captions of pairs/],
    [['--embeddings', 'pairs.safetensors', '--add_backdoor'], /--add_backdoor is for the set that --checkpoint embeds/],
    [['logs/b', '--detected', 'rows.csv'], /--titles, --detected and --classes belong to pictures of embeddings/],
    [['--embeddings', 'pairs.safetensors', '--titles', 'a', 'b'], /--titles names 2 pictures, but --embeddings has 1/],
    [['--embeddings', 'none.safetensors'], /none\.safetensors/],
    [['--embeddings', 'rows.csv'], /rows\.csv/],
    [['--embeddings', 'other.safetensors'], /has no tensor image_embeddings/],
    [['--embeddings', 'flat.safetensors'], /flat\.safetensors/],
    [['--embeddings', 'nan.safetensors'], /The embeddings of row 0 in 'nan\.safetensors' are not finite/],
    [['--embeddings', 'l.safetensors'], /labels/],
    [['--embeddings', 'torn.safetensors'], /torn\.safetensors/],
    [
      ['--embeddings', 'before.safetensors', '--classes', 'zebra'],
      /no images of the class 'zebra'; its classes are class a/,
    ],
    [['--embeddings', 'before.safetensors', '--of', 'texts'], /has no text_embeddings of pairs/],
    [['--embeddings', 'pairs.safetensors', '--detected', 'far.csv'], /Expected rows from 0 to 89/],
    [['--embeddings', 'pairs.safetensors', '--method', 'tsne', '--perplexity', '90'], /--perplexity is 90/],
    [['logs/empty'], /Expected losses or accuracies of two steps/],
    [['logs/none'], /there is no such folder/],
  ])('%p', async (args, message) => {
    const { code, stderr } = await plot(...args, '-o', 'refused');
    expect(stderr).toMatch(message);
    expect([code, stderr.trim().split('\n').length]).toEqual([1, 1]);
    expect(['svg', 'png', 'csv'].filter((form) => existsSync(join(folder, `refused.${form}`)))).toEqual([]);
  });
});

test('embeds a set with models and draws them side by side, as from files of embeddings', async () => {
  const set = await drawShapes(2);
  const model = join(set, 'model.json');
  const test = { evalTestDataDir: join(set, 'test'), addBackdoor: true, label: classes[1], precision: 'fp32' } as const;
  const checkpoint: string[] = [];
  for (const seed of [1, 2]) {
    const of = { logs: folder, name: `model${seed}`, modelName: model, seed, precision: 'fp32' } as const;
    checkpoint.push((await train({ ...of, trainData: join(set, 'train.csv'), epochs: 1, batchSize: 4 })).checkpoint);
  }
  const embeddings = [join(folder, 'e0.safetensors'), join(folder, 'e1.safetensors')];
  for (const [i, output] of embeddings.entries()) await embed({ checkpoint: checkpoint[i], ...test, output, seed: 3 });
  await drawPlot({ embeddings, seed: 3, titles: ['model1', 'model2'], output: join(folder, 'files') });
  const direct = await drawPlot({ checkpoint, ...test, seed: 3, output: join(folder, 'models') });
  const twice = { checkpoint: [checkpoint[0], checkpoint[0]], trainData: join(set, 'train.csv') };
  const same = await drawPlot({ ...twice, precision: 'fp32', output: join(folder, 'same.csv') });
  expect(same.descriptions.map((text) => text.split(':')[0])).toEqual(['model1, epoch_1', 'model1, epoch_1 (2)']);
  expect(direct.descriptions[0]).toMatch(/^model1: /);
  expect(text('models.csv')).toBe(text('files.csv'));
  expect(readFileSync(direct.files.svg!)).toEqual(readFileSync(join(folder, 'files.svg')));
  rmSync(set, { recursive: true });
}, 120_000);

test('Ctrl-C ends t-SNE and leaves nothing', async () => {
  writePairs(join(folder, 'many.safetensors'), { rows: 3000, width: 64 });
  const args = [
    'plot',
    '--embeddings',
    'many.safetensors',
    '--method',
    'tsne',
    '--iterations',
    '100000',
    '-o',
    'killed',
  ];
  const { child, ended } = command('cleanclip', args, folder);
  setTimeout(() => child.kill('SIGINT'), 3000);
  const { code, stderr } = await ended;
  expect(code).toBe(130);
  expect(stderr).toMatch(/The (plot was stopped; nothing was written|job .plot. was stopped)/);
  expect(existsSync(join(folder, 'killed.svg'))).toBe(false);
});
