// What interrupted.test.ts runs in a process of its own: saves checkpoints of 12 MB, whose values are all 1, all 2, …,
// to one path, by torch.save or torch.saveAsync.
const { writeSync } = require('node:fs');
const { performance } = require('node:perf_hooks');

const { torch } = require('../../../dist/torch');

const [how, path, times] = process.argv.slice(2);

async function main() {
  for (let value = 1; value <= Number(times); value++) {
    const start = performance.now();
    const tensors = { value: torch.tensor([value]), w: torch.full([3_000_000], value) };
    const saved = torch[how](tensors, path);
    Object.values(tensors).forEach((tensor) => tensor.dispose());
    await saved;
    writeSync(1, `${performance.now() - start}\n`); // ends this process once nobody listens
  }
}

main().catch(({ code, message }) => writeSync(1, `${code}: ${message}\n`));
