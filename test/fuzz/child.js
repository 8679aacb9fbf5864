// Makes one range of a fuzz's calls: node child.js KIND JOURNAL SEED FIRST LAST DEADLINE PATTERN. Each call is drawn
// from the seed and its index alone, and is written into the journal before it is made, so that whoever watches knows
// what crashed or hung. Faults that do not end the process go to stdout, a line of JSON each.
const { openSync, writeSync } = require('node:fs');

const { torch } = require('../../dist/torch');
const { draws } = require('./draws');

const [kind, journalFile, seed, first, last, deadline, pattern] = process.argv.slice(2);
const { prepare } = require(`./${kind}_calls`);
const journal = openSync(journalFile, 'w');
const counts = { next: Number(first), calls: 0, results: 0, refused: 0 };
const write = (call) => writeSync(journal, `${JSON.stringify({ ...counts, ...call })}\n`, 0);
const fault = (call, what) => process.stdout.write(`${JSON.stringify({ index: counts.next, what, ...call })}\n`);

const compiled = (source) => new Function('t', `return ${source}`);
const isError = (error) =>
  /^ERR_[A-Z_]+$/.test(error?.code) && error.name === 'CleanclipError' && /^[^\n]+$/.test(error.message);

/** Runs what may throw our errors alone; true when it gave a result. */
function attempt(call, body) {
  try {
    body();
    return true;
  } catch (error) {
    if (!isError(error)) fault(call, `an error without a code: ${error?.stack ?? String(error)}`.slice(0, 400));
    return false;
  }
}

/** Reads every element that came out, by JavaScript and by another operator, and differentiates. */
function use(value, call, depth = 0) {
  if (Array.isArray(value)) return value.slice(0, 8).forEach((item) => use(item, call, depth + 1));
  if (!(value instanceof torch.Tensor)) return;
  const { shape, requiresGrad } = value;
  if (shape.reduce((product, size) => product * size, 1) > 1e6 || Math.max(0, ...shape) > 1e6) return;
  if (call.then && depth === 0)
    attempt(call, () => use(new Function('v', `return v${call.then}`)(value), { ...call, then: '' }, 1));
  if (requiresGrad) attempt(call, () => value.sum().backward());
  attempt(call, () => value.toArray());
}

const draw = prepare(torch, new RegExp(pattern));
for (; counts.next < Number(last) && Date.now() < Number(deadline); counts.next++) {
  const call = draw(draws(Number(seed), counts.next), counts.next);
  write(call);
  counts.calls++;
  torch.setNumThreads(1);
  torch.manualSeed(counts.next);
  torch.tidy(() => {
    let result;
    if (attempt(call, () => (result = compiled(call.source)(torch)))) {
      counts.results++;
      use(result, call);
    } else {
      counts.refused++;
    }
  });
  if (torch.memory().tensors !== 0) fault(call, `${torch.memory().tensors} tensors are left`);
}
write({ done: true });
process.exit(0);
