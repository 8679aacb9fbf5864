import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { configs } from '../../src/clip/named';
import { epochOrder } from '../../src/data/sampler';
import { type Tensor, torch } from '../../src/torch';
import { type Ended, until } from '../support/command';
import { drawShapes } from '../support/pairs';
import { startRanks } from '../support/ranks';

jest.setTimeout(180_000);

// A vision transformer: batch norm would see other batches on several ranks than in one process.
const vit = {
  ...configs.tiny,
  embedDim: 32,
  imageSize: 32,
  visionLayers: 1,
  visionWidth: 64,
  visionPatchSize: 8,
  textWidth: 32,
  textHeads: 2,
  textLayers: 1,
};

let folder: string;
const flags = (name: string, more: Record<string, unknown> = {}): string[] => {
  const given = {
    name,
    train_data: 'train.csv',
    model_name: 'vit.json',
    batch_size: 16,
    epochs: 2,
    lr: 2e-3,
    eps: 1e-3,
    num_warmup_steps: 2,
    num_workers: 1,
    log_every: 1,
    seed: 3,
    precision: 'fp32',
    gather_with_grad: true,
    ...more,
  };
  return Object.entries(given).flatMap(([flag, value]) =>
    value === false ? [] : value === true ? [`--${flag}`] : [`--${flag}`, String(value)],
  );
};
type Row = Record<string, unknown> & { type: string; step: number; loss: number };
const metrics = (name: string): Row[] =>
  readFileSync(join(folder, 'logs', name, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);
const curve = (name: string): number[] =>
  metrics(name)
    .filter(({ type }) => type === 'train')
    .map(({ loss }) => loss);
const weights = (name: string, file: string): Record<string, Tensor> =>
  (torch.load(join(folder, 'logs', name, 'checkpoints', file)) as { state_dict: Record<string, Tensor> }).state_dict;

function apart(a: Record<string, Tensor>, b: Record<string, Tensor>): number {
  expect(Object.keys(a)).toEqual(Object.keys(b));
  return Math.max(...Object.keys(a).map((name) => torch.tidy(() => a[name].sub(b[name]).abs().max().item())));
}

const trainOverRanks = async (...args: Parameters<typeof startRanks>): Promise<Ended[]> =>
  Promise.all((await startRanks(...args)).map(({ ended }) => ended));

/** Trains over ranks, all of which must end well. */
async function train(worldSize: number, name: string, more: Record<string, unknown> = {}): Promise<void> {
  const ended = await trainOverRanks(worldSize, flags(name, more), folder);
  for (const { code, stderr } of ended) expect([code, stderr]).toEqual([0, '']);
}

beforeAll(async () => {
  folder = await drawShapes(8); // 96 pairs: 6 batches an epoch
  writeFileSync(join(folder, 'vit.json'), JSON.stringify(vit));
  writeFileSync(join(folder, 'broken.png'), 'no image');
  const lines = readFileSync(join(folder, 'train.csv'), 'utf8').trim().split('\n');
  writeFileSync(join(folder, 'bad.csv'), [...lines.slice(0, -1), 'broken.png,nothing'].join('\n'));
  await train(1, 'alone', { inmodal: true });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('training over ranks', () => {
  test.each([
    [2, {}],
    [4, { local_loss: true }],
    [2, { accum_freq: 2, bucket_cap_mb: 0.5 }],
  ])('%i ranks with %p give the losses and weights of one process', async (worldSize, more) => {
    const together = ['together', worldSize, ...Object.keys(more)].join('_');
    await train(worldSize, together, { inmodal: true, ...more });
    expect(curve(together)).toHaveLength(12);
    curve(together).forEach((loss, i) => expect(loss).toBeCloseTo(curve('alone')[i], 4));
    expect(curve(together).at(-1)).toBeLessThan(curve(together)[0]);
    expect(apart(weights(together, 'epoch_2.pt'), weights('alone', 'epoch_2.pt'))).toBeLessThan(1e-5);
    expect(readdirSync(join(folder, 'logs', together)).sort()).toEqual([
      'checkpoints',
      'metrics.jsonl',
      'output.log',
      'params.txt',
    ]);
  });

  test('a ResNet sees the batches of all ranks with sync_batchnorm', async () => {
    const resnet = { model_name: 'model.json', lr: 1e-3, max_steps: 4 };
    await train(1, 'resnet1', resnet);
    await train(2, 'resnet2', { ...resnet, sync_batchnorm: true });
    curve('resnet2').forEach((loss, i) => expect(loss).toBeCloseTo(curve('resnet1')[i], 3));
    const [one, two] = ['resnet1', 'resnet2'].map((name) => weights(name, 'step.pt')['visual.bn1.running_var']);
    expect(torch.tidy(() => one.sub(two).abs().max().item() / one.max().item())).toBeLessThan(1e-4);
  });

  test('finetunes a classifier to the losses and scores of one process', async () => {
    const supervised = {
      train_data: false,
      gather_with_grad: false,
      finetune: true,
      eval_train_data_dir: 'test',
      eval_test_data_dir: 'test',
      linear_probe_batch_size: 6,
      linear_probe_num_epochs: 2,
    };
    await train(1, 'classifier1', supervised);
    await train(2, 'classifier2', supervised);
    expect(curve('classifier2')).toHaveLength(4);
    curve('classifier2').forEach((loss, i) => expect(loss).toBeCloseTo(curve('classifier1')[i], 4));
    expect(metrics('classifier2').at(-1)!.finetune_accuracy).toBe(metrics('classifier1').at(-1)!.finetune_accuracy);
  });

  test(
    'without gather_with_grad sends the mean of the own parts, as the Python code: the first loss is the same, ' +
      'then it learns more slowly',
    async () => {
      await train(1, 'exact', { lr: 1e-2 });
      await train(2, 'own', { lr: 1e-2, gather_with_grad: false });
      expect(curve('own')[0]).toBeCloseTo(curve('exact')[0], 5);
      expect(apart(weights('own', 'epoch_2.pt'), weights('exact', 'epoch_2.pt'))).toBeGreaterThan(1e-4);
    },
  );

  test('a run goes on with another number of ranks, with the loss curve of an undisturbed one', async () => {
    // Of 95 rows the first of an epoch comes twice, which makes 6 batches; and the run must not be over before the
    // kill.
    writeFileSync(
      join(folder, 'odd.csv'),
      readFileSync(join(folder, 'train.csv'), 'utf8').trim().split('\n').slice(0, -1).join('\n'),
    );
    const long = { train_data: 'odd.csv', epochs: 8, save_every_steps: 2 };
    await train(2, 'undisturbed', long);
    const ranks = await startRanks(2, flags('moved', long), folder);
    await until(() => existsSync(join(folder, 'logs/moved/checkpoints/step.pt')) && curve('moved').length >= 7);
    ranks[1].child.kill('SIGKILL');
    const [first] = await Promise.all(ranks.map(({ ended }) => ended));
    expect(first).toMatchObject({ code: 1, stderr: expect.stringContaining('rank 1') });
    expect(curve('moved').length).toBeLessThan(48);
    await train(4, 'moved', { ...long, resume: 'auto' });
    expect(curve('moved')).toHaveLength(48);
    curve('moved').forEach((loss, i) => expect(loss).toBeCloseTo(curve('undisturbed')[i], 4));
  });

  test('measures what one process measures: the same counts, the same validation loss', async () => {
    const measure = {
      train_data: false,
      gather_with_grad: false,
      checkpoint: 'logs/undisturbed/checkpoints/epoch_2.pt',
      eval_test_data_dir: 'test',
      validation_data: 'train.csv',
      asr: true,
      label: 'red circle',
      patch_size: 8,
    };
    await train(1, 'measured1', measure);
    await train(3, 'measured3', measure);
    const [one, three] = ['measured1', 'measured3'].map((name) => metrics(name)[0]);
    expect({ ...three, loss: 0 }).toEqual({ ...one, loss: 0 });
    expect(three.loss).toBeCloseTo(one.loss, 5);
    const results = readFileSync(join(folder, 'results.csv'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('measured3'));
    expect(results).toHaveLength(1);
  });

  test('a linear probe has the features of all ranks', async () => {
    const probe = {
      train_data: false,
      gather_with_grad: false,
      checkpoint: 'logs/undisturbed/checkpoints/epoch_2.pt',
      eval_test_data_dir: 'test',
      eval_train_data_dir: 'test',
      linear_probe: true,
      linear_probe_num_epochs: 3,
    };
    await train(1, 'probed1', probe);
    await train(2, 'probed2', probe);
    const [one, two] = ['probed1', 'probed2'].map((name) =>
      metrics(name).map(({ loss, ...rest }) => ({
        loss: loss === undefined ? 0 : Math.round(1e4 * loss),
        ...rest,
        time: 0,
        images_per_second: 0,
      })),
    );
    expect(two).toEqual(one);
  });

  test('progressive removal drops the same pairs, and unlearning constrains the same ones', async () => {
    const rows = readFileSync(join(folder, 'train.csv'), 'utf8')
      .split('\n')
      .map((line, i) => `${line},${i === 0 ? 'is_backdoor' : Number(i < 5)}`);
    writeFileSync(join(folder, 'marked.csv'), rows.join('\n'));
    const removing = { train_data: 'marked.csv', progressive: true, progressive_epochs: 1, remove_fraction: 0.2 };
    await train(1, 'removed1', removing);
    await train(2, 'removed2', removing);
    const images = (name: string): string[] =>
      readFileSync(join(folder, `${name}_1.csv`), 'utf8')
        .trim()
        .split('\n')
        .map((line) => line.split(',')[0]);
    expect([...images('removed2')].sort()).toEqual([...images('removed1')].sort());
    curve('removed2').forEach((loss, i) => expect(loss).toBeCloseTo(curve('removed1')[i], 4));

    // the first batch of poisoned pairs alone, one in the second
    const order = epochOrder(96, { seed: 3, epoch: 1, shuffle: true });
    writeFileSync(
      join(folder, 'batch.csv'),
      rows.map((line, i) => (i === 0 ? line : line.replace(/.$/, order.indexOf(i - 1) < 17 ? '1' : '0'))).join('\n'),
    );
    const unlearning = { train_data: 'batch.csv', unlearn: true, inmodal: true, accum_freq: 2, epochs: 1 };
    await train(1, 'unlearnt1', unlearning);
    await train(2, 'unlearnt2', unlearning);
    expect(
      metrics('unlearnt1')
        .slice(0, 3)
        .map((line) => [line.constraint_loss, line.inmodal_loss].map((loss) => loss !== undefined)),
    ).toEqual([
      [true, false],
      [true, true],
      [false, true],
    ]);
    // Ranks exchange a gradient of 0 for the scale where one process has none, so that AdamW counts a step more for it.
    curve('unlearnt2').forEach((loss, i) => expect(loss).toBeCloseTo(curve('unlearnt1')[i], 3));
  });

  test('an image that only one rank meets is left out of its part; rank 0 writes who skipped it', async () => {
    await train(1, 'bad1', { train_data: 'bad.csv' });
    await train(2, 'bad2', { train_data: 'bad.csv', validation_data: 'bad.csv' });
    const log = readFileSync(join(folder, 'logs/bad2/output.log'), 'utf8');
    expect(log.match(/Validation: 1 of 96 pairs are left out, .* row 96: .*broken\.png/g)).toHaveLength(3);
    // each rank meets it once in two epochs, or one twice
    expect(log.match(/Row 96 is skipped: .*broken\.png/g)).toHaveLength(2);
    curve('bad2').forEach((loss, i) => expect(loss).toBeCloseTo(curve('bad1')[i], 4));
  });
});

describe('what stops all ranks', () => {
  const failures = async (args: string[] | ((rank: number) => string[])): Promise<string[]> => {
    const ended = await trainOverRanks(2, args, folder);
    for (const { code } of ended) expect(code).toBe(1);
    return ended.map(({ stderr }) => stderr);
  };

  test('different options', async () => {
    for (const stderr of await failures((rank) => flags('differ', { lr: rank === 0 ? 1e-3 : 2e-3 }))) {
      expect(stderr).toBe(
        'cleanclip-train: Rank 0 has lr 0.001, and rank 1 0.002; start all ranks with the same options.\n',
      );
    }
  });

  test('an earlier run of the same name, which the first rank sees', async () => {
    for (const stderr of await failures(flags('undisturbed'))) expect(stderr).toContain('--resume auto');
  });

  test('a batch that the ranks cannot share', async () => {
    for (const stderr of await failures(flags('odd', { batch_size: 15 })))
      expect(stderr).toContain('make it a multiple of 2');
  });

  test('a checkpoint that the first rank cannot write in the middle of training', async () => {
    // A limit to the size of files stands for the full disk.
    const ranks = await startRanks(2, flags('full', { save_every_steps: 3 }), folder, (rank) =>
      rank === 0 ? 'ulimit -f 1000;' : '',
    );
    const [first, second] = await Promise.all(ranks.map(({ ended }) => ended));
    const reason = "'logs/full/checkpoints/step.pt' cannot be written: file too large (EFBIG).";
    expect(first).toMatchObject({ code: 1, stderr: `cleanclip-train: ${reason}\n` });
    expect(second).toMatchObject({ code: 1, stderr: expect.stringContaining(`rank 0 failed: ${reason}`) });
    // The file is written while the next steps run; the next file, of step 6, would wait for it.
    expect([3, 4, 5, 6]).toContain(curve('full').length);
    expect(readdirSync(join(folder, 'logs/full/checkpoints'))).toEqual([]);
  });

  test('an image that one rank cannot read with strict, after the steps before it are saved', async () => {
    const said = await failures(flags('strict', { train_data: 'bad.csv', strict: true, seed: 4 }));
    expect(said[1]).toContain('Row 96 cannot be used'); // and rank 0 saves
    const { step } = torch.load(join(folder, 'logs/strict/checkpoints/step.pt')) as { step: number };
    expect(step).toBe(metrics('strict').length);
  });

  test('a folder that the first rank cannot write to', async () => {
    writeFileSync(join(folder, 'file'), '');
    const [first, second] = await failures(flags('unwritable', { logs: 'file' }));
    expect(first).toMatch(/ENOTDIR|EEXIST|file/);
    expect(second).toMatch(/cleanclip-train: /);
  });
});
