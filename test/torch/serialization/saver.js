// What interrupted.test.ts runs in a process of its own: saves checkpoints of 12 MB, whose values are all 1, all 2, …,
// to one path.
const { writeSync } = require('node:fs');
const { performance } = require('node:perf_hooks');

const { torch } = require('../../../dist/torch');

const [path, times] = process.argv.slice(2);
for (let value = 1; value <= Number(times); value++) {
  const start = performance.now();
  try {
    torch.tidy(() => torch.save({ value: torch.tensor([value]), w: torch.full([3_000_000], value) }, path));
  } catch ({ code, message }) {
    writeSync(1, `${code}: ${message}\n`);
    break;
  }
  writeSync(1, `${performance.now() - start}\n`); // ends this process once nobody listens
}
