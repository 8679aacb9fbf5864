// Compares the pictures of `cleanclip plot` with scikit-learn's: seconds, and how well neighbours stay together
// (trustworthiness). `CLEANCLIP_PYTHON=<python with scikit-learn and safetensors> node bench/tsne.mjs 10000`.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const { torch } = require('../dist/torch');
const { pca } = require('../dist/plot/pca');
const { tsne } = require('../dist/plot/tsne');

const [count = 10_000, width = 512, clusters = 20] = process.argv.slice(2).map(Number);

/** Returns unit rows in overlapping clusters, as embeddings of classes are. */
function embeddings() {
  torch.manualSeed(0);
  const labels = torch.randint(0, clusters, [count]).to('int64');
  const centres = torch.randn([clusters, width]).index_select(0, labels);
  const rows = centres.add(torch.randn([count, width]).mul(1.5));
  return rows.div(rows.norm(2, [1], true));
}

/** Runs a function, and returns its result, its seconds, and the CPU seconds of this process. */
async function timed(work) {
  const [start, before] = [performance.now(), process.cpuUsage()];
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  return { result, seconds: (performance.now() - start) / 1000, cpu: (user + system) / 1e6 };
}

const rows = embeddings();
const ours = {
  pca: await timed(() => pca(rows)),
  tsne: await timed(() => tsne(rows, { perplexity: 10, iterations: 1000, seed: 0, onStep: async () => {} })),
};
const folder = mkdtempSync(join(tmpdir(), 'cleanclip-tsne-'));
try {
  const file = join(folder, 'points.safetensors');
  const points = ({ result }) => torch.tensor(result).view([count, 2]).to('float32');
  torch.save({ rows, pca: points(ours.pca), tsne: points(ours.tsne) }, file);
  const script = fileURLToPath(new URL('tsne.py', import.meta.url));
  const measured = JSON.parse(execFileSync(process.env.CLEANCLIP_PYTHON ?? 'python3', [script, file]));
  for (const [method, values] of Object.entries(measured)) {
    const { seconds, cpu } = ours[method];
    console.log(method, { ...values, 'our seconds': seconds, 'our CPU seconds': cpu });
  }
} finally {
  rmSync(folder, { recursive: true });
}
