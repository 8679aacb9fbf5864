import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const seeds = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
const callsPerSeed = 10_000;
const patience = 30_000; // ms on one call before it counts as hanging

// A call that asks for more is refused, as on a machine of little memory: a fuzzed size must not wake the OOM killer.
const limitMemory = process.platform === 'linux' ? 'ulimit -v 2600000;' : '';

const folder = mkdtempSync(join(tmpdir(), 'cleanclip-fuzz-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs one seed's calls. Gives the counts, or what the process was doing when it crashed or hung. */
async function fuzz(seed: number): Promise<{ calls: number; results: number } | string> {
  const journal = join(folder, `${seed}.txt`);
  const worker = [process.execPath, join(__dirname, 'fuzz_worker.js'), journal, seed, 0, callsPerSeed].join(' ');
  const child = spawn('sh', ['-c', `ulimit -c 0; ${limitMemory} exec ${worker}`], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  let complaints = '';
  child.stderr.on('data', (text: Buffer) => (complaints = (complaints + text.toString()).slice(-2000)));

  const current = () => readFileSync(journal, { encoding: 'utf8', flag: 'a+' }).trim();
  let [seen, hanging] = ['', false];
  const watch = setInterval(() => {
    const now = current();
    if (now !== '' && now === seen) {
      hanging = true;
      child.kill('SIGKILL');
    }
    seen = now;
  }, patience);
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  clearInterval(watch);
  if (code === 0) return JSON.parse(current()) as { calls: number; results: number };
  return `${hanging ? 'hung' : `ended with ${signal ?? `code ${code}: ${complaints}`}`} in ${current()}`;
}

test('100,000 random calls neither crash nor hang the process', async () => {
  const waiting = [...seeds];
  const outcomes: Awaited<ReturnType<typeof fuzz>>[] = [];
  const lane = async () => {
    for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) outcomes.push(await fuzz(seed));
  };
  await Promise.all([lane(), lane()]);

  expect(outcomes.filter((outcome) => typeof outcome === 'string')).toEqual([]);
  const counts = outcomes.filter((outcome) => typeof outcome !== 'string');
  // Under the memory limit the arguments themselves are sometimes too large to be made.
  expect(counts.reduce((sum, { calls }) => sum + calls, 0)).toBeGreaterThanOrEqual(100_000);
  // Enough of them are valid calls: it is not only the schema check that is fuzzed.
  expect(counts.reduce((sum, { results }) => sum + results, 0)).toBeGreaterThan(0.15 * seeds.length * callsPerSeed);
}, 300_000);
