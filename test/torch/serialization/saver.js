// What interrupted.test.ts runs in a process of its own: saves checkpoints of 12 MB, whose values are all 1, all 2, …, to one path.
const { performance } = require('node:perf_hooks');

const { torch } = require('../../../dist/torch');

const [path, times] = process.argv.slice(2);
for (let value = 1; value <= Number(times); value++) {
  const start = performance.now();
  try {
    torch.save({ value: torch.tensor([value]), w: torch.full([3_000_000], value) }, path);
    process.stdout.write(`saved in ${performance.now() - start}\n`);
  } catch ({ code, message }) {
    process.stdout.write(`${code}: ${message}\n`);
  }
}
