import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { type Tensor, torch } from '../../src/torch';
import { bin, command, start, until } from '../support/command';
import { drawShapes } from '../support/pairs';

jest.setTimeout(120_000);

let folder: string;
const flags = (name: string): string[] =>
  [
    ['--name', name],
    ['--train_data', 'train.csv'],
    ['--model_name', 'model.json'],
    ['--batch-size', '8'],
    ['--epochs', '6'],
    ['--num_warmup_steps', '2'],
    ['--num_workers', '1'],
    ['--save_every_steps', '2'],
    ['--log-every', '1'],
  ].flat();
const run = (args: string[]): ReturnType<typeof command> => command('cleanclip-train', args, folder);
const metrics = (name: string): { step: number; loss: number }[] => {
  const file = join(folder, 'logs', name, 'metrics.jsonl');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
  return lines.map((line) => JSON.parse(line) as { step: number; loss: number });
};

beforeAll(async () => {
  folder = await drawShapes(6); // 72 pairs: 9 batches an epoch
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('cleanclip-train', () => {
  test('goes on after SIGKILL in the middle of an epoch with the loss curve of an undisturbed run', async () => {
    expect((await run(flags('undisturbed')).ended).code).toBe(0);
    const killed = run(flags('killed'));
    await until(
      () =>
        metrics('killed').some(({ step }) => step >= 14) && existsSync(join(folder, 'logs/killed/checkpoints/step.pt')),
    );
    killed.child.kill('SIGKILL');
    expect((await killed.ended).signal).toBe('SIGKILL');
    expect(existsSync(join(folder, 'logs/killed/checkpoints/epoch_6.pt'))).toBe(false);

    const resumed = await run([...flags('killed'), '--resume', 'auto']).ended;
    expect(resumed).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /Loaded checkpoint .*The last checkpoint is logs\/killed\/checkpoints\/epoch_6\.pt/s,
      ),
    });
    const curve = (name: string): [number, number][] =>
      metrics(name).map(({ step, loss }) => [step, Math.round(loss * 1e5)]);
    expect(curve('killed')).toEqual(curve('undisturbed'));
    expect(readdirSync(join(folder, 'logs/killed/checkpoints')).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('saves and ends with 130 on Ctrl-C, but goes on after SIGHUP without a terminal, as under nohup', async () => {
    const { child, ended } = run(flags('interrupted'));
    await until(() => metrics('interrupted').length >= 1);
    child.kill('SIGHUP');
    await until(() => metrics('interrupted').length >= 3);
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    expect(code).toBe(130);
    expect(stderr).toMatch(/^cleanclip-train: Training was stopped at step \d+; it is saved/m);
    const saved = torch.load(join(folder, 'logs/interrupted/checkpoints/step.pt')) as {
      step: number;
      state_dict: Record<string, Tensor>;
    };
    expect(saved.step).toBeGreaterThanOrEqual(3);
  });

  test('saves when its terminal is closed', async () => {
    const command = [
      process.execPath,
      bin('cleanclip-train'),
      ...flags('closed'),
      '--epochs',
      '50',
      '--save_every_steps',
      '0',
    ].join(' ');
    const { child } = start('script', ['--quiet', '--command', command, '/dev/null'], folder);
    await until(() => metrics('closed').length >= 3);
    child.kill('SIGKILL');
    await until(() => readFileSync(join(folder, 'logs/closed/output.log'), 'utf8').includes('Stopped at step'));
    expect(readdirSync(join(folder, 'logs/closed/checkpoints'))).toContain('step.pt');
  });

  test('ends with 129 on SIGHUP, and is saved, where it has a terminal', async () => {
    const command = [
      'echo $$ > hung.pid; exec',
      process.execPath,
      bin('cleanclip-train'),
      ...flags('hung'),
      '--epochs',
      '50',
      '--save_every_steps',
      '0',
    ].join(' ');
    const { ended } = start('script', ['--quiet', '--return', '--command', command, '/dev/null'], folder, {
      env: { SHELL: '/bin/sh' },
    });
    await until(() => metrics('hung').length >= 3);
    process.kill(Number(readFileSync(join(folder, 'hung.pid'), 'utf8')), 'SIGHUP');
    expect(await ended).toMatchObject({
      code: 129,
      stdout: expect.stringMatching(/Training was stopped at step \d+; it is saved/),
    });
  });

  test('goes on when nobody reads what it prints any more', async () => {
    const { child, ended } = run([...flags('unheard'), '--max_steps', '12']);
    child.stdout!.once('data', () => child.stdout!.destroy());
    expect(await ended).toMatchObject({ code: 0, stderr: '' });
    expect(metrics('unheard')).toHaveLength(12);
  });

  test('evaluates a checkpoint when there is no training data', async () => {
    const checkpoint = 'logs/undisturbed/checkpoints/epoch_3.pt';
    const args = [
      '--name',
      'evaluated',
      '--checkpoint',
      checkpoint,
      '--eval_test_data_dir',
      'test',
      '--validation_data',
      'train.csv',
    ];
    const attack = ['--asr', '--label', 'red circle', '--patch_size', '8', '--batch_size', '24'];
    const { code, stdout } = await run([...args, ...attack]).ended;
    expect(code).toBe(0);
    for (const name of [
      'loss',
      'zeroshot_top1',
      'zeroshot_top10',
      'triggered_zeroshot_top1',
      'asr_top1',
      'asr_top10',
    ]) {
      expect(stdout).toMatch(new RegExp(`${name}: \\d+\\.\\d{4}$`, 'm'));
    }
  });

  test('cleanses in every way that trains on pairs: CleanCLIP, CLIP, unlearning, progressive removal', async () => {
    const rows = readFileSync(join(folder, 'train.csv'), 'utf8').trim().split('\n').slice(1);
    writeFileSync(
      join(folder, 'marked.csv'),
      ['image,caption,is_backdoor', ...rows.map((row, i) => `${row},${i % 4 ? 0 : 1}`)].join('\n'),
    );
    const checkpoint = 'logs/undisturbed/checkpoints/epoch_3.pt';
    const start = (name: string): string[] =>
      [
        ['--name', name],
        ['--checkpoint', checkpoint],
        ['--train_data', 'marked.csv'],
        ['--batch_size', '8'],
        ['--num_workers', '1'],
        ['--num_warmup_steps', '2'],
      ].flat();
    const finetune = ['--complete_finetune', '--epochs', '1'];
    const validated = ['--inmodal', '--inmodal_weight', '2', '--validation_data', 'train.csv'];
    expect(await run([...start('cleanclip'), ...finetune, ...validated]).ended).toMatchObject({ code: 0 });
    expect(await run([...start('clip'), ...finetune, '--clip_weight', '2']).ended).toMatchObject({ code: 0 });
    expect(
      await run([
        ...start('unlearned'),
        ...finetune,
        '--unlearn',
        '--unlearn_target',
        '-0.5',
        '--constraint_weight',
        '2',
      ]).ended,
    ).toMatchObject({ code: 0 });
    const removal = [
      '--progressive',
      '--progressive_epochs',
      '3',
      '4',
      '--remove-fraction',
      '0.1',
      '--stop_epoch',
      '5',
      '--epochs',
      '9',
    ];
    expect(await run([...start('removed'), ...removal]).ended).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('epoch_5.pt'),
    });

    const last = (name: string): Record<string, unknown> => ({ ...metrics(name).at(-1)! });
    expect(last('cleanclip')).toMatchObject({ type: 'evaluation', loss: expect.any(Number) });
    expect(metrics('cleanclip').find((line) => 'inmodal_loss' in line)).toMatchObject({
      contrastive_loss: expect.any(Number),
    });
    expect(existsSync(join(folder, 'logs/cleanclip/checkpoints/epoch.best.pt'))).toBe(true);
    expect(last('unlearned')).toMatchObject({ constraint_loss: expect.any(Number) });
    const left = [3, 4].map(
      (epoch) =>
        readFileSync(join(folder, `removed_${epoch}.csv`), 'utf8')
          .trim()
          .split('\n').length - 1,
    );
    expect(left).toEqual([65, 59]); // of 72: 7 and 6 fewer
  });

  test('lists every flag with its default in --help', async () => {
    const { code, stdout } = await run(['--help']).ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /--num_warmup_steps <steps>\s+steps over which the learning rate rises \(default:\s+10000\)/,
    );
  });

  test.each([
    [['--bath_size', '3'], /^cleanclip-train: There is no option --bath_size; did you mean --batch_size\?$/m],
    [['--batch_size', 'many'], /^cleanclip-train: --batch_size must be an integer of at least 2, but is 'many'\.$/m],
    [['--precision', 'fp8'], /^cleanclip-train: --precision must be one of auto, fp32, bf16, fp16, but is 'fp8'\.$/m],
    [[], /^cleanclip-train: There is nothing to do; give --train_data/m],
    [['--train_data', 'empty.csv'], /empty\.csv/],
    [['--train_data', 'train.csv', '--image_key', 'photo'], /--image_key/],
    [['--checkpoint', 'hostile.pt', '--validation_data', 'train.csv'], /^cleanclip-train: .*os\.system/m],
    [['--checkpoint', 'truncated.pt', '--validation_data', 'train.csv'], /^cleanclip-train: .*truncated\.pt/m],
    [['--eval_test_data_dir', 'nowhere'], /nowhere/],
    [
      ['--eval_test_data_dir', 'test', '--asr', '--model_name', 'model.json'],
      /--label must be one of the 12 classes .*'banana'/,
    ],
  ])('refuses %p with one sentence', async (args, message) => {
    writeFileSync(join(folder, 'empty.csv'), '');
    writeFileSync(
      join(folder, 'truncated.pt'),
      readFileSync(join(folder, 'logs/undisturbed/checkpoints/epoch_1.pt')).subarray(0, 100_000),
    );
    writeFileSync(join(folder, 'hostile.pt'), await hostilePickle());
    const { code, stderr } = await run(args).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});

/** A checkpoint whose pickle would call os.system('touch /tmp/owned') in Python. */
async function hostilePickle(): Promise<Buffer> {
  const pickle = Buffer.from(
    '\x80\x02cos\nsystem\nq\x00X\x10\x00\x00\x00touch /tmp/ownedq\x01\x85q\x02Rq\x03.',
    'latin1',
  );
  const { crc32 } = await import('node:zlib');
  const name = Buffer.from('archive/data.pkl');
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt32LE(crc32(pickle), 14);
  local.writeUInt32LE(pickle.length, 18);
  local.writeUInt32LE(pickle.length, 22);
  local.writeUInt16LE(name.length, 26);
  const central = Buffer.alloc(46);
  central.writeUInt32LE(0x02014b50, 0);
  local.copy(central, 10, 8, 30);
  const start = local.length + name.length + pickle.length;
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length + name.length, 12);
  end.writeUInt32LE(start, 16);
  return Buffer.concat([local, name, pickle, central, name, end]);
}
