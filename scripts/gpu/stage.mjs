// What the stages of check.sh share: where they compute, what they keep, and how a check is counted. A stage is a
// program; it writes $OUT/<stage>.json after each of its parts, so that one that is cut off leaves what it had.
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { performance } from 'node:perf_hooks';

import { out, rehearsal, work } from './files.mjs';

// OpenMP reads this when libtorch is loaded. It keeps a rehearsal from cores in use.
if (rehearsal) process.env.OMP_NUM_THREADS ??= '1';

export { inputs, rehearsal, root } from './files.mjs';

/** torch's name of the device, and that of the option `device` of a job. */
export const [device, jobDevice] = rehearsal ? ['cpu', 'cpu'] : ['cuda:0', 'gpu'];

export const python = process.env.PYTHON ?? 'python3';

const stage = basename(process.argv[1], '.mjs');
const results = { stage, checks: [] };

/** A folder for the files of this stage. */
export const folder = join(work, stage);
mkdirSync(folder, { recursive: true });
mkdirSync(out, { recursive: true });

/** Seconds until check.sh ends this stage. */
export const secondsLeft = () => Number(process.env.GPU_CHECK_SECONDS ?? Infinity) - performance.now() / 1000;

/** Keeps values in the results of this stage. */
export function keep(values) {
  Object.assign(results, values);
  writeFileSync(join(out, `${stage}.json`), `${JSON.stringify(results, null, 1)}\n`);
}

/** Counts a check: passed, with what `fn` returns, or failed, with what it throws. Resolves to that value. */
export async function check(name, fn) {
  const elapsed = stopwatch();
  const done = (outcome) => {
    const { ok, detail } = outcome;
    const seconds = Number(elapsed().toFixed(2));
    results.checks.push({ name, ok, seconds, detail });
    console.log(`${ok ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)${detail === undefined ? '' : `: ${show(detail)}`}`);
    keep({});
  };
  try {
    const detail = await fn();
    done({ ok: true, detail });
    return detail;
  } catch (error) {
    done({ ok: false, detail: `${error.code ?? error.name}: ${error.message}` });
    return undefined;
  }
}

/** @throws with the sentence, where the condition does not hold */
export function must(holds, sentence) {
  if (!holds) throw new Error(sentence);
}

/** Starts to count seconds: what it returns says how many have gone by. */
export function stopwatch() {
  const start = performance.now();
  return () => (performance.now() - start) / 1000;
}

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
};

const show = (detail) => (typeof detail === 'string' ? detail : JSON.stringify(detail)).slice(0, 400);

keep({});
