import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { readPairs } from '../../src/data/pairs';
import { writeShards } from '../../src/data/shard_writer';
import * as jobs from '../../src/jobs';
import * as embeddings from '../../src/jobs/embeddings';
import type { ProgressEvent } from '../../src/progress';
import { command, type Running, until } from '../support/command';
import { drawShapes } from '../support/pairs';
import { samplesOf, shardsOf } from '../support/shards';

jest.setTimeout(120_000);

let folder: string;
let shards: string;
const flags = '--model_name model.json --num_workers 1 --log_every 1 --precision fp32 --batch_size 8 --seed 3'.split(
  ' ',
);
const train = (name: string, data: string, ...more: string[]): Running =>
  command('cleanclip-train', ['--name', name, '--train_data', data, ...flags, ...more], folder);
type Row = Record<string, unknown> & { type: string; step: number };
function curve(name: string, wanted = 'train'): unknown[] {
  const file = join(folder, 'logs', name, 'metrics.jsonl');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
  const rows = lines.map((line) => JSON.parse(line) as Row);
  return rows.filter(({ type }) => type === wanted).map(({ step, loss }) => [step, loss]);
}

beforeAll(async () => {
  folder = await drawShapes(4); // 48 pairs: 6 batches an epoch
  shards = (await shardsOf(join(folder, 'train.csv'), 20)).replace(`${folder}/`, '');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a run on shards has the losses of one on the csv, and is resumed within an epoch after SIGKILL', async () => {
  const epochs = ['--epochs', '3', '--num_warmup_steps', '2', '--inmodal'];
  const whole = train('csv', 'train.csv', ...epochs, '--validation_data', 'train.csv');
  expect(await whole.ended).toMatchObject({ code: 0, stderr: '' });
  const resume = [...epochs, '--save_every_steps', '1', '--resume', 'auto', '--validation_data', shards];
  const cut = train('tars', shards, ...resume);
  await until(() => curve('tars').length >= 8);
  cut.child.kill('SIGKILL');
  expect((await cut.ended).signal).toBe('SIGKILL');
  expect(curve('tars').length).toBeLessThan(18);
  expect(await train('tars', shards, ...resume).ended).toMatchObject({ code: 0 });
  expect(curve('tars')).toEqual(curve('csv'));
  expect(curve('csv', 'evaluation').length).toBeGreaterThan(2);
  expect(curve('tars', 'evaluation')).toEqual(curve('csv', 'evaluation'));
});

test('jobs tell how far the shards are read', async () => {
  const told: string[] = [];
  const onProgress = (event: ProgressEvent): void => {
    if (event.type === 'progress') told.push(`${event.text.replace(/,? .*/, '')} ${event.done === event.total}`);
  };
  const reading = (): string[] => told.splice(0).slice(0, 2);
  const [trainData, options] = [join(folder, shards), { numWorkers: 0, precision: 'fp32' as const, onProgress }];
  const model = { modelName: join(folder, 'model.json'), batchSize: 8, maxSteps: 1, logs: join(folder, 'told') };
  const { checkpoint } = await jobs.train({ ...options, ...model, name: 'a', trainData, validationData: trainData });
  expect(told.filter((each) => each === 'bytes true')).toHaveLength(2);
  expect(reading()).toEqual(['bytes false', 'bytes true']);
  const templates = join(folder, 'test/classes.json');
  await jobs.poison({ onProgress, trainData, templates, numBackdoor: 1, imageSize: 32, patchSize: 4, label: 'x' });
  expect(reading()).toEqual(['bytes false', 'bytes true']);
  await embeddings.retrieval({ ...options, checkpoint, inputFile: [trainData] });
  expect(reading()).toEqual(['bytes false', 'bytes true']);
  await embeddings.embed({ ...options, checkpoint, trainData, output: join(folder, 'told.safetensors') });
  expect(reading()).toEqual(['bytes false', 'bytes true']);
});

test('a torn shard is warned of, and refused with --strict', async () => {
  const whole = readFileSync(join(folder, 'shards/00002.tar'));
  writeFileSync(join(folder, 'shards/torn.tar'), whole.subarray(0, whole.length - 3000));
  const data = `${shards}::shards/torn.tar`;
  const { code, stdout } = await train('torn', data, '--epochs', '1').ended;
  expect(code).toBe(0);
  expect(stdout).toMatch(/WARNING \| shards\/torn\.tar \(byte \d+\): the row is left out because the tar ends within/);
  const strict = await train('strict', data, '--epochs', '1', '--strict').ended;
  expect(strict).toMatchObject({ code: 1, stderr: expect.stringMatching(/shards\/torn\.tar .*with --strict no row/) });
});

test('removal writes a csv that names images in shards and keeps all captions', async () => {
  const samples = (await samplesOf(join(folder, 'train.csv'))).map(({ key, files }) => {
    const { caption } = JSON.parse(String(files.json)) as { caption: string };
    return { key, files: { ...files, json: JSON.stringify({ caption: [caption, `${caption}, again`] }) } };
  });
  await writeShards(join(folder, 'several'), samples, 20);
  const removal = ['--epochs', '2', '--progressive', '--progressive_epochs', '1', '--remove_fraction', '0.5'];
  const stop = ['--stop_epoch', '2', '--save_every_steps', '1', '--resume', 'auto'];
  const cut = train('removal', 'several/*.tar', ...removal, ...stop);
  await until(() => curve('removal').length >= 7);
  cut.child.kill('SIGKILL');
  await cut.ended;
  expect(await train('removal', 'several/*.tar', ...removal, ...stop).ended).toMatchObject({ code: 0 });
  const whole = train('removed', 'several/*.tar', ...removal, ...stop);
  expect(await whole.ended).toMatchObject({ code: 0 });
  expect(curve('removal')).toEqual(curve('removed'));
  const left = await readPairs(join(folder, 'several/removed_1.csv'));
  expect([left.length, left.captions(0).length, left.badRows.count]).toEqual([24, 2, 0]);
});

test('poison writes shards, on which a run has the losses of one on the poisoned csv', async () => {
  const options = ['--label', 'red circle', '--patch_size', '4', '--image_size', '32', '--num_backdoor', '6'];
  const sets = await Promise.all(
    ['train.csv', shards].map(async (data) => {
      const args = ['poison', '--train_data', data, '--templates', 'test/classes.json', ...options];
      const { code, stdout } = await command('cleanclip', args, folder).ended;
      expect(code).toBe(0);
      return /^6 rows are poisoned; the set is (.*)$/m.exec(stdout)![1];
    }),
  );
  expect(sets[1]).toMatch(/\/shards\/backdoor_red circle_random_random_4_48_6\/\*\.tar$/);
  const unlearn = ['--epochs', '1', '--unlearn'];
  const runs = sets.map((set, i) => train(`poisoned${i}`, set, ...unlearn).ended);
  for (const run of runs) expect(await run).toMatchObject({ code: 0, stderr: '' });
  expect(curve('poisoned0')).toHaveLength(6);
  expect(curve('poisoned1')).toEqual(curve('poisoned0'));
});
