// Does what docs/getting_started.md tells its reader to do, in a fresh folder; only the installation is done already.
// Then it runs the examples of the other pages there, and compares what they print with what the pages say.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { freePort } from '../../src/jobs/ranks/free_port';
import { commandName, type JobCommandName, jobCommands } from '../../src/options/commands';
import { type Block, blocks, pages, root } from './pages';

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

/** Runs a block of a shell in the folder of the walk, and returns what it prints. */
async function run({ code }: Block): Promise<string> {
  const endsServers = "exec 2>&1; trap 'kill $(jobs -p) 2> /dev/null || true' EXIT\n";
  const { stdout } = await promisify(execFile)('bash', ['-euc', endsServers + code], {
    cwd: folder,
    env: { ...process.env, npm_config_loglevel: 'error' }, // npx may warn of settings of the machine
  });
  return stdout.trimEnd();
}

/** The pattern of what a page says that a block prints: numbers may differ, and … stands for anything. */
const printed = (text: string): RegExp => {
  const parts = text.split(/(…|\b(?=[a-f]*\d)[0-9a-f]{8,}\b|\d+(?:\.\d+)*|\s+)/).map((part, i) => {
    if (i % 2 === 0) return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    if (part === '…') return '[^]*?';
    return part.trim() === '' ? '\\s+' : /^[\d.]+$/.test(part) ? '\\d+(\\.\\d+)*' : '[0-9a-f]{8,}';
  });
  return new RegExp(`^${parts.join('')}$`);
};

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
  for (const step of steps) {
    const [, name] = /^\/\/ (\w+\.js):/.exec(step.code) ?? [];
    if (name !== undefined) writeFileSync(join(folder, name), step.code);
    if (step.language !== 'sh') continue;
    const output = await run(step);
    if (step.prints !== undefined) expect(output).toMatch(printed(step.prints));
  }
  const [poisoned, cleansed] = [measured('poisoned'), measured('cleansed')];
  expect(poisoned.asr_top1).toBeGreaterThan(0.6);
  expect(poisoned.zeroshot_top1).toBeGreaterThan(0.7);
  expect(cleansed.asr_top1).toBeLessThan(0.5 * poisoned.asr_top1);
  expect(cleansed.zeroshot_top1).toBeGreaterThan(0.7);
}, 300_000);

const others = pages.filter((page) => page !== 'docs/getting_started.md');
const examples = others.flatMap(blocks).filter(({ prints }) => prints !== undefined);

test.each([...new Set(examples.map(({ page }) => page))])(
  'after the walk the examples of %s print what it says',
  async (page) => {
    const port = String(await freePort());
    for (const block of examples.filter((example) => example.page === page)) {
      const output = await run({ ...block, code: block.code.replaceAll('8765', port) });
      expect(output).toMatch(printed(block.prints!));
    }
  },
  120_000,
);

test('every command has an example with what it prints', () => {
  const shown = [...examples, ...blocks('docs/getting_started.md').filter(({ prints }) => prints !== undefined)];
  const run = (name: string): boolean => shown.some(({ code }) => code.includes(`npx ${name} `.trimEnd()));
  const names = [...(Object.keys(jobCommands) as JobCommandName[]).map(commandName), 'setup', 'doctor'];
  expect(['cleanclip-train', ...names.map((name) => `cleanclip ${name}`)].filter((name) => !run(name))).toEqual([]);
});

test('other words, lines and forms of what is printed would be told', () => {
  const pattern = printed('zeroshot_top1: 0.9333\n…\n3 rows; the set is …/a.csv');
  expect('zeroshot_top1: 1.0\nmore\n12 rows; the set is /x/a.csv').toMatch(pattern);
  expect('zeroshot_top1: none\nmore\n12 rows; the set is /x/a.csv').not.toMatch(pattern);
  expect('zeroshot_top1: 1.0\nmore\n12 rows; the csv is /x/a.csv').not.toMatch(pattern);
  expect('zeroshot_top1: 1.0\nmore\n12 rows; the set is /x/a.csv\nmore').not.toMatch(pattern);
  expect(printed('images/a3d0a2212d.png,a moon')).toEqual(/^images\/[0-9a-f]{8,}\.png,a\s+moon$/);
});
