// Runs the calls of a fuzz in child processes, which end with the first crash or hang; the culprit is recorded and a
// new child goes on.
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { mkdtempSync, readFileSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { clearInterval, setInterval } = require('node:timers');

const perChild = 4000; // calls; a child's guarded memory is used once
// A size that the fuzz draws must not wake the OOM killer; 32 GiB of addresses are the guarded memory's.
const limitMemory = process.platform === 'linux' ? 'ulimit -v 38000000;' : '';

/** On which side of tensors the pages without access lie, for the calls of one child. */
const sideOf = (index) => (Math.floor(index / perChild) % 4 === 3 ? 'before' : 'after');

function readJournal(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8').split('\n', 1)[0]);
  } catch {
    return undefined; // not yet written
  }
}

/** One child; gives what its journal says last, how it ended, and its faults. */
async function runChild({ kind, seed, pattern, patience, deadline }, first, last, folder) {
  const journal = join(folder, `${seed}.json`);
  rmSync(journal, { force: true });
  const command = [
    process.execPath,
    join(__dirname, 'child.js'),
    kind,
    journal,
    seed,
    first,
    last,
    deadline,
    `'${pattern}'`,
  ].join(' ');
  const child = spawn('sh', ['-c', `ulimit -c 0; ${limitMemory} exec ${command}`], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, OMP_NUM_THREADS: '1', CLEANCLIP_GUARD_PAGES: sideOf(first) },
  });
  let [lines, complaints] = ['', ''];
  child.stdout.on('data', (text) => (lines += text));
  child.stderr.on('data', (text) => (complaints = (complaints + text).slice(-6000)));
  let [seen, since, hanging] = [undefined, Date.now(), false];
  const watch = setInterval(() => {
    const now = readJournal(journal)?.next;
    if (now !== seen) [seen, since] = [now, Date.now()];
    else if (Date.now() - since > (now === undefined ? 300_000 : patience)) hanging = child.kill('SIGKILL');
  }, 500);
  const [code, signal] = await once(child, 'close');
  clearInterval(watch);
  const end = hanging ? 'hangs' : `ends the process with ${signal ?? `code ${code}`}`;
  const why =
    complaints
      .split('\n')
      .filter((line) => /GUARD|what\(\)|terminate|Assert|Error|free\(\)|malloc|corrupt/.test(line))
      .pop() ?? '';
  const frames = [...complaints.matchAll(/\((_Z\w+)\+/g)].map(([, name]) => name).slice(0, 3);
  const faults = lines
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
  return { state: readJournal(journal), end: [end, why, ...frames].filter(Boolean).join(' '), faults, complaints };
}

/**
 * Makes `count` calls of a seed, or as many as `seconds` allow.
 * @param options `{ kind, seed, first, count, pattern, seconds, patience }`, patience in ms on one call before it
 * counts as hanging
 * @param report called with each fault: `{ seed, index, label, source, then, what }`
 * @returns `{ calls, results, refused, faults }`
 */
exports.fuzz = async (
  { kind, seed, first = 0, count = Infinity, pattern = '.', seconds = Infinity, patience = 30_000 },
  report = () => undefined,
) => {
  const folder = mkdtempSync(join(tmpdir(), 'cleanclip-fuzz-'));
  const deadline = Number.isFinite(seconds) ? Date.now() + seconds * 1000 : Number.MAX_SAFE_INTEGER;
  const total = { calls: 0, results: 0, refused: 0, faults: 0 };
  const found = (fault) => {
    total.faults++;
    report({ seed, ...fault });
  };
  try {
    for (let next = first; next < first + count && Date.now() < deadline;) {
      const last = Math.min(first + count, (Math.floor(next / perChild) + 1) * perChild);
      const { state, end, faults, complaints } = await runChild(
        { kind, seed, pattern, patience, deadline },
        next,
        last,
        folder,
      );
      faults.forEach(found);
      if (state === undefined) throw new Error(`A child died before its first call: ${end} ${complaints}`);
      for (const key of ['calls', 'results', 'refused']) total[key] += state[key];
      if (!state.done) {
        total.calls++;
        found({ index: state.next, label: state.label, source: state.source, then: state.then, what: end });
      }
      next = state.done ? state.next : state.next + 1;
      if (state.done && next < last) break; // time is up
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return total;
};
