import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { loadClip } from '../../src/clip/model';
import { evaluate } from '../../src/jobs';
import { torch } from '../../src/torch';
import { command } from '../support/command';
import { classes, drawShapes, miniModel } from '../support/pairs';

let folder: string;
beforeAll(async () => {
  folder = await drawShapes(2);
  cpSync(join(folder, 'test'), join(folder, 'few'), { recursive: true });
  const rows = classes.slice(0, 5).map((_, label) => `${label}.png,${label}`);
  writeFileSync(join(folder, 'few', 'labels.csv'), ['image,label', ...rows].join('\n'));
  torch.save({ state_dict: loadClip({ ...miniModel }, { seed: 3 }).stateDict() }, join(folder, 'a.pt'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('measures several sets in one command, in a table that is logged and written', async () => {
  const model = ['--checkpoint', 'a.pt', '--activation', 'quick_gelu', '--precision', 'fp32', '--num_workers', '0'];
  const sets = ['--eval', 'all=test', '--eval', 'few=few', '--validation_data', 'train.csv', '--name', 'several'];
  const attack = ['--asr', '--label', classes[1], '--patch_type', 'yellow', '--patch_size', '8'];
  const { code, stdout } = await command('cleanclip-train', [...model, ...sets, ...attack], folder).ended;
  expect(code).toBe(0);
  const one = {
    ...({ checkpoint: join(folder, 'a.pt'), activation: 'quick_gelu', precision: 'fp32', numWorkers: 0 } as const),
    ...({ logs: join(folder, 'logs'), asr: true, label: classes[1], patchType: 'yellow', patchSize: 8 } as const),
  };
  const all = await evaluate({ ...one, name: 'all', evalTestDataDir: join(folder, 'test') });
  const few = await evaluate({ ...one, name: 'few', evalTestDataDir: join(folder, 'few') });
  const { loss } = await evaluate({ ...one, asr: false, name: 'loss', validationData: join(folder, 'train.csv') });
  const written = (file: string): string => readFileSync(join(folder, 'logs', 'several', file), 'utf8');
  const expected = [
    { set: 'validation', loss },
    { set: 'all', ...all },
    { set: 'few', ...few },
  ];
  expect(JSON.parse(written('evaluation.json'))).toEqual(expected);
  const [header, ...rows] = written('evaluation.csv').trimEnd().split('\n');
  const names = header.split(',');
  const cells = (set: object): string[] => names.map((name) => String((set as Record<string, unknown>)[name] ?? ''));
  expect(rows.map((row) => row.split(','))).toEqual(expected.map(cells));
  expect(names).toContain('asr_top1');
  expect(stdout).toMatch(new RegExp(`few +.*${few.zeroshot_top1.toFixed(4)}`));
  const logged = written('metrics.jsonl').trimEnd().split('\n');
  expect(logged.map((line) => (JSON.parse(line) as { set?: string }).set).filter(Boolean)).toEqual([
    'validation',
    'all',
    'few',
  ]);
  expect(readFileSync(join(folder, 'results.csv'), 'utf8')).toContain('several/few');
});

test('a set without a folder is refused', async () => {
  const { code, stderr } = await command('cleanclip-train', ['--checkpoint', 'a.pt', '--eval', 'few'], folder).ended;
  expect(code).toBe(1);
  expect(stderr).toBe('cleanclip-train: --eval must be one or more of name=folder, but is ["few"].\n');
});

test('names the set whose folder cannot be read, before any is measured', async () => {
  const options = { checkpoint: join(folder, 'a.pt'), logs: join(folder, 'logs'), name: 'none', numWorkers: 0 };
  const missing = evaluate({ ...options, activation: 'quick_gelu', eval: [`a=${folder}/test`, `b=${folder}/none`] });
  await expect(missing).rejects.toThrow(`${folder}/none`);
  expect(() => readFileSync(join(folder, 'logs', 'none', 'output.log'))).toThrow('ENOENT');
});
