import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import sharp from 'sharp';

import type { Results } from '../../../examples/quickstart/run';
import { temporaryFolder } from '../../data/temporary';

const root = resolve(__dirname, '../../..');

test('the two-minute form implants the backdoor, and CleanCLIP removes more of it than the control', async () => {
  const folder = temporaryFolder();
  const main = join(root, '.cache/examples/quickstart/main.js');
  execFileSync(process.execPath, [require.resolve('typescript/bin/tsc'), '-p', join(root, 'examples')]);
  const flags = ['--small', '--seed', '1', '--out', join(folder, 'logs'), '--data', join(folder, 'data')];
  const printed = execFileSync(process.execPath, [main, ...flags], { encoding: 'utf8' });
  expect(printed).toMatch(/poisoned .*\n.*CLIP loss alone .*\n.*CleanCLIP /);

  const results: Results = JSON.parse(readFileSync(join(folder, 'logs/results.json'), 'utf8'));
  const { poisoned, clip_finetuned, cleanclip, ...facts } = results;
  expect(facts).toEqual({ classes: 30, test_images: 120, seconds: expect.any(Number), seed: 1 });
  for (const scores of [poisoned, clip_finetuned, cleanclip]) {
    expect(Object.keys(scores)).toEqual(['ca', 'ca_seen', 'asr', 'ca_triggered']);
    for (const share of Object.values(scores)) expect(share).toBeGreaterThanOrEqual(0);
    expect(scores.ca).toBeGreaterThan(4 / facts.classes);
    expect(scores.ca_seen).toBeGreaterThan(scores.ca);
  }
  expect(poisoned.asr).toBeGreaterThan(0.8);
  expect(cleanclip.asr).toBeLessThan(clip_finetuned.asr - 0.25);

  const { width, height } = await sharp(join(folder, 'logs/triggered.png')).metadata();
  expect({ width, height }).toEqual({ width: 1100, height: 540 });
}, 1_800_000); // three minutes alone on two cores, many more when they are shared
