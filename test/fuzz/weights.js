// Loads mutated weight files: node test/fuzz/weights.js --seed N --count M [--from K] [--seconds S] [--memory MB].
// Cases run in child processes of 500 with limits of time and memory. Prints the counts; ends with 1 when one crashed,
// hung, or gave an error that is not of this package. `--from K --count 1` repeats one case.
const { spawn } = require('node:child_process');
const { mkdirSync, mkdtempSync, readFileSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const timers = require('node:timers');
const { parseArgs } = require('node:util');

const { writeSeeds } = require('./weights_seeds');

const perChild = 500;

/** Runs the cases from `first` to `last` in one child; resolves to its lines, and the case it died or hung in. */
function runChild({ folder, journal, seed, first, last, seconds, memory }) {
  return new Promise((resolve) => {
    const args = ['-v', String(memory * 1024)];
    const command = `ulimit ${args.join(' ')}; exec "$0" --max-old-space-size=512 "$@"`;
    const child = spawn(
      'sh',
      ['-c', command, process.execPath, join(__dirname, 'weights_child.js'), journal, folder, seed, first, last].map(
        String,
      ),
      {
        env: { ...process.env, OMP_NUM_THREADS: '1', NODE_NO_WARNINGS: '1' },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let [out, err, at, hung] = ['', '', '', false];
    child.stdout.on('data', (data) => (out += data));
    child.stderr.on('data', (data) => (err = (err + data).slice(-2000)));
    const current = () => {
      try {
        return readFileSync(journal, 'latin1').trim();
      } catch {
        return '';
      }
    };
    const watch = timers.setInterval(() => {
      if (current() === at) {
        hung = true;
        child.kill('SIGKILL');
      }
      at = current();
    }, seconds * 1000);
    child.on('close', (code, signal) => {
      timers.clearInterval(watch);
      const lines = out
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line));
      const whole = lines.some(({ counts }) => counts);
      resolve({ lines, ...(!whole && { died: { number: Number(current() || first), hung, code, signal, err } }) });
    });
  });
}

async function main() {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      count: { type: 'string', default: '1000' },
      from: { type: 'string', default: '0' },
      seconds: { type: 'string', default: '60' },
      memory: { type: 'string', default: '8000' },
    },
  });
  const [seed, count, from, seconds, memory] = ['seed', 'count', 'from', 'seconds', 'memory'].map((name) =>
    Number(values[name]),
  );
  const scratch = mkdtempSync(join(tmpdir(), 'cleanclip-fuzz-'));
  const folder = join(scratch, 'seeds');
  mkdirSync(folder);
  writeSeeds(folder);
  const total = { ok: 0, refused: 0, odd: 0, crashed: 0, hung: 0 };
  for (let first = from; first < from + count;) {
    const last = Math.min(first + perChild, from + count);
    const { lines, died } = await runChild({
      folder,
      journal: join(scratch, 'journal'),
      seed,
      first,
      last,
      seconds,
      memory,
    });
    for (const line of lines) {
      if (!line.counts) console.log(JSON.stringify({ seed, ...line }));
      else for (const [name, value] of Object.entries(line.counts)) total[name] += value;
    }
    if (died === undefined) first = last;
    else {
      total[died.hung ? 'hung' : 'crashed']++;
      console.log(JSON.stringify({ seed, ...died }));
      first = died.number + 1; // the counts of those before it in this child are lost
    }
  }
  rmSync(scratch, { recursive: true });
  console.log(JSON.stringify({ seed, count, ...total }));
  if (total.odd + total.crashed + total.hung > 0) process.exitCode = 1;
}

main();
