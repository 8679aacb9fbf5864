import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

jest.setTimeout(120_000);

const root = join(__dirname, '../..');

/** Native work that a thread does for ever. */
const work = {
  'making models': "cc.loadClip('RN50', { seed: 1 }).dispose();",
  'forward passes':
    "m ??= cc.loadClip('tiny', { seed: 1 }); t.tidy(() => t.noGrad(() => " +
    "m.forward(cc.tokenize(Array(16).fill('a cat')), t.rand([16, 3, 64, 64]))));",
  'errors of operators': 'try { t.mm(t.rand([300, 4]), t.rand([3, 4])); } catch {}',
};

/** A program whose thread does this work while `end` happens; it prints 'lives on' if it does. */
const program = (body: string, end: string): string => `
  const { Worker } = require('node:worker_threads');
  const code = \`
    const { parentPort } = require('node:worker_threads');
    const cc = require(${JSON.stringify(root)}), t = cc.torch;
    t.setNumThreads(1);
    let m;
    parentPort.postMessage('on');
    for (;;) { ${body} }\`;
  const started = () => new Promise((resolve) => {
    const worker = new Worker(code, { eval: true });
    worker.once('message', () => setTimeout(resolve, 150, worker));
  });
  void (async () => { ${end} })();`;

const run = (source: string) => spawnSync(process.execPath, ['-e', source], { encoding: 'utf8', cwd: root });

test.each(Object.entries(work))('the process lives on when a thread is ended in the middle of %s', (_, body) => {
  const end = "for (let i = 0; i < 3; i++) await (await started()).terminate(); console.log('lives on');";
  expect(run(program(body, end))).toMatchObject({ status: 0, signal: null, stdout: 'lives on\n', stderr: '' });
});

test.each(Object.entries(work))('process.exit in the middle of %s gives its exit code', (_, body) => {
  expect(run(program(body, 'await started(); process.exit(7);'))).toMatchObject({
    status: 7,
    signal: null,
    stderr: '',
  });
});
