// Does what docs/getting_started.md tells its reader to do, in a fresh folder; only the installation is done already.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { blocks, root } from './pages';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cleanclip-walk-'));
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, '.bin'), { recursive: true });
  symlinkSync(root, join(modules, 'cleanclip'));
  symlinkSync(join(root, 'node_modules', 'sharp'), join(modules, 'sharp'));
  for (const name of ['cleanclip', 'cleanclip-train'])
    symlinkSync(join(root, 'bin', `${name}.js`), join(modules, '.bin', name));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The metrics of a run's last evaluation. */
function measured(run: string): { zeroshot_top1: number; asr_top1: number } {
  const lines = readFileSync(join(folder, 'logs', run, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n');
  return lines.map((line) => JSON.parse(line)).findLast((record) => 'asr_top1' in record);
}

test('the walk goes from an empty folder to a cleansed model', async () => {
  const [install, ...steps] = blocks('docs/getting_started.md').filter(({ language }) => /^(js|sh)$/.test(language));
  expect(install.code).toMatch(/npm install cleanclip/);
  for (const { language, code } of steps) {
    const [, name] = /^\/\/ (\w+\.js):/.exec(code) ?? [];
    if (name !== undefined) writeFileSync(join(folder, name), code);
    if (language === 'sh') await promisify(execFile)('bash', ['-euc', code], { cwd: folder });
  }
  const [poisoned, cleansed] = [measured('poisoned'), measured('cleansed')];
  expect(poisoned.asr_top1).toBeGreaterThan(0.6);
  expect(poisoned.zeroshot_top1).toBeGreaterThan(0.7);
  expect(cleansed.asr_top1).toBeLessThan(0.5 * poisoned.asr_top1);
  expect(cleansed.zeroshot_top1).toBeGreaterThan(0.7);
}, 300_000);
