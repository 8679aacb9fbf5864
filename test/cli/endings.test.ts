import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { loadClip } from '../../src/clip/model';
import { type Tensor, torch } from '../../src/torch';
import { bin, command, type Ended, type Running, start, until } from '../support/command';
import { colourSets } from '../support/labelled';
import { miniModel } from '../support/pairs';

jest.setTimeout(120_000);

let folder: string;
const sets = ['--eval_train_data_dir', 'train', '--eval_test_data_dir', 'test'];
const common = ['--model_name', 'model.json', '--num_workers', '1', '--log_every', '1', '--precision', 'fp32'];
const pairs = ['--train_data', 'pairs.csv', '--batch_size', '4', '--epochs', '6', '--num_warmup_steps', '9'];
const labels = ['--linear_probe_batch_size', '4', '--linear_probe_num_epochs', '6', '--num_warmup_steps', '9'];

const run = (args: string[]): Running => command('cleanclip-train', [...common, ...args], folder);
const metrics = (name: string): { type: string; step: number }[] => {
  const file = join(folder, 'logs', name, 'metrics.jsonl');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
  return lines.map((line) => JSON.parse(line) as { type: string; step: number });
};
const steps = (name: string): number[] => metrics(name).flatMap(({ type, step }) => (type === 'train' ? [step] : []));
const checkpoints = (name: string): string => join(folder, 'logs', name, 'checkpoints');
const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
/** Every checkpoint of a run, and the digest of its bytes. */
const kept = (name: string): [string, string][] =>
  readdirSync(checkpoints(name))
    .filter((file) => file.endsWith('.pt'))
    .map((file) => [file, digest(readFileSync(join(checkpoints(name), file)))]);
/** The digest of each weight. */
const weights = (name: string, file: string): string[] => {
  const { state_dict: state } = torch.load(join(checkpoints(name), file)) as { state_dict: Record<string, Tensor> };
  return Object.values(state).map((tensor) => digest(new Uint8Array((tensor.data() as Float32Array).slice().buffer)));
};

beforeAll(async () => {
  folder = await colourSets(8, 2); // 32 images: 8 batches an epoch
  const rows = readFileSync(join(folder, 'train/labels.csv'), 'utf8').split('\n').slice(1);
  const captions = rows.map((row) => `train/${row.replace(',', ',a square of colour ')}`);
  writeFileSync(join(folder, 'pairs.csv'), ['image,caption', ...captions].join('\n'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// One run goes through all that can end it; what it leaves each time is what the next resumes.
describe.each([
  ['training on pairs', 'Training', pairs, 'step.pt', 'epoch_6.pt'],
  ['supervised finetuning', 'Finetuning', ['--finetune', ...sets, ...labels], 'finetune_step.pt', 'finetune.pt'],
])('%s', (_, called, flags, unfinished, finished) => {
  const name = called;
  const resume = ['--name', name, ...flags, '--save_every_steps', '2', '--resume', 'auto'];
  const step = (): number => (torch.load(join(checkpoints(name), unfinished)) as { step: number }).step;

  beforeAll(async () => {
    expect(await run(['--name', 'whole', ...flags]).ended).toMatchObject({ code: 0 });
  });
  afterAll(() => rmSync(join(folder, 'logs'), { recursive: true }));

  test('leaves its last save after SIGKILL', async () => {
    const { child, ended } = run(resume);
    await until(() => steps(name).length >= 5 && existsSync(join(checkpoints(name), unfinished)));
    child.kill('SIGKILL');
    expect((await ended).signal).toBe('SIGKILL');
    expect(step()).toBeGreaterThanOrEqual(2);
    expect(kept(name).map(([file]) => file)).not.toContain(finished);
  });

  test('keeps its last save when the disk is full', async () => {
    const before = kept(name);
    const limited = ['-c', 'ulimit -f 1000; exec "$0" "$@"', process.execPath, bin('cleanclip-train')];
    const ended: Ended = await start('bash', [...limited, ...common, ...resume], folder).ended;
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('cannot be written: file too large') });
    expect(kept(name)).toEqual(before);
  });

  test('keeps its last save when the weights or the loss become NaN', async () => {
    const before = kept(name);
    const nan = async (...more: string[]): Promise<string> => {
      const { code, stderr } = await run([...resume, ...more]).ended;
      expect(code).toBe(1);
      return stderr;
    };
    const lr = ['--lr', '1e39', '--num_warmup_steps', '0'];
    expect(await nan(...lr, '--save_every_steps', '1')).toMatch(/: The weights are not finite after step \d+; lower/);
    expect(await nan(...lr, '--save_every_steps', '0')).toMatch(/: The loss .*became NaN at step \d+/);
    expect(kept(name)).toEqual(before);
  });

  test('saves the step that SIGTERM stops it at, and goes on to the weights of an undisturbed run', async () => {
    const begun = step();
    const { child, ended } = run(resume);
    await until(() => Math.max(...steps(name)) > begun + 2);
    child.kill('SIGTERM');
    const { code, stderr } = await ended;
    expect(code).toBe(143);
    expect(stderr).toMatch(new RegExp(`: ${called} was stopped at step ${step()}; it is saved, and --resume auto`));
    expect(step()).toBe(steps(name).at(-1));

    expect(await run(resume).ended).toMatchObject({ code: 0 });
    expect(weights(name, finished)).toEqual(weights('whole', finished));
    expect(steps(name)).toEqual(Array.from({ length: 48 }, (__, i) => i + 1));
  });
});

test('supervised finetuning saves the last step when an image cannot be read with --strict', async () => {
  const csv = join(folder, 'train/labels.csv');
  const good = readFileSync(csv, 'utf8');
  writeFileSync(csv, `${good}\nnone.png,1`);
  const flags = ['--name', 'strict', '--finetune', ...sets, ...labels, '--strict', '--seed', '2'];
  try {
    const { code, stderr } = await run(flags).ended;
    expect(code).toBe(1);
    expect(stderr).toContain('none.png');
  } finally {
    writeFileSync(csv, good);
  }
  const { step } = torch.load(join(checkpoints('strict'), 'finetune_step.pt')) as { step: number };
  expect(step).toBe(steps('strict').at(-1));
  expect(readFileSync(join(folder, 'logs/strict/output.log'), 'utf8')).toMatch(
    new RegExp(`WARNING \\| Stopped at step ${step}; --resume auto goes on from there\\.$`, 'm'),
  );
});

describe('a linear probe', () => {
  const probe = ['--linear_probe', ...sets];

  test('ends by SIGTERM with a sentence, and leaves no checkpoint', async () => {
    const { child, output, ended } = run(['--name', 'probe', ...probe, '--linear_probe_num_epochs', '100000']);
    await until(() => output.stdout.includes('Linear probe Epoch: 02'));
    child.kill('SIGTERM');
    const { code, stderr } = await ended;
    expect(code).toBe(143);
    expect(stderr).toMatch(/^cleanclip-train: Training of the classifier was stopped at step \d+\.$/m);
    expect(existsSync(checkpoints('probe'))).toBe(false);
  });

  test('ends at features that are no numbers', async () => {
    const clip = loadClip(miniModel, { seed: 1 });
    torch.noGrad(() => clip.namedParameters().forEach(([, weight]) => weight.fill_(NaN)));
    torch.save({ state_dict: clip.stateDict() }, join(folder, 'nan.pt'));
    const { code, stderr } = await run(['--name', 'nan', ...probe, '--checkpoint', 'nan.pt']).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/The loss of the classifier became NaN at step 1: the image features .* not finite/);
  });
});
