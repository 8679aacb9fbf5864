// Stage (a): what this machine is, whether the addon reaches its GPU, and the tests of torch.cuda.
import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { run } from 'node:test';

import cleanclip from '../../dist/index.js';
import { check, device, keep, must, rehearsal, root } from './stage.mjs';

const { torch } = cleanclip;
const { cuda } = torch;

keep({
  processor: `${cpus().length} × ${cpus()[0].model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
  node: process.version,
  gpu: rehearsal ? 'none: this is the rehearsal on the CPU' : cuda.isAvailable() && cuda.getDeviceProperties(),
  driver: driver(),
});

await check('the addon sees a GPU', () => {
  must(rehearsal || cuda.isAvailable(), 'torch.cuda sees none');
  return `${cuda.deviceCount()} GPUs`;
});
await check('the addon has NCCL', () => must(torch.distributed.isNcclAvailable() || rehearsal, 'it has not'));
for (const dtype of ['float32', 'bfloat16', 'float16'])
  await check(`a matrix product in ${dtype} on ${device} is the CPU's`, () => product(dtype));

process.env.NODE_OPTIONS = `--require ${join(root, 'scripts/gpu/jest_globals.cjs')}`;
const files = ['native/smoke', 'torch/cuda'].map((name) => join(root, 'test', `${name}.test.js`));
for await (const { type, data } of run({ files, concurrency: 1 })) {
  const { name, details, skip } = data;
  if (!['test:pass', 'test:fail'].includes(type) || details.type === 'suite' || skip || name.endsWith('.test.js'))
    continue;
  const error = type === 'test:fail' && (details.error.cause ?? details.error);
  await check(name, () => {
    if (error) throw error;
  });
}

function driver() {
  try {
    const query = ['--query-gpu=name,driver_version,memory.total,clocks.sm,clocks.max.sm', '--format=csv'];
    return execFileSync('nvidia-smi', query, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return 'no nvidia-smi';
  }
}

/** How far the two are apart, as a share of the largest. */
function product(dtype) {
  const apart = torch.tidy(() => {
    const generator = new torch.Generator(1);
    const [a, b] = [0, 1].map(() => torch.randn([512, 512], { generator }).to(dtype));
    const there = torch.mm(a.to(device), b.to(device)).to('cpu').to('float32');
    const here = torch.mm(a.to('float32'), b.to('float32'));
    return there.sub(here).abs().max().item() / here.abs().max().item();
  });
  must(apart < { float32: 1e-5, bfloat16: 8e-3, float16: 1e-3 }[dtype], `it is ${apart} apart`);
  return apart;
}
