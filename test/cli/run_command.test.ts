import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/**
 * A job whose thread waits outside of JavaScript, as in an exchange between ranks: here for the end of its standard
 * input.
 */
const program = `
  const { Worker } = require('node:worker_threads');
  const { runCommand } = require(${JSON.stringify(join(__dirname, '../../dist/cli/run_command.js'))});
  void runCommand('program', () => new Promise(() => {
    const code = "require('node:fs').writeSync(1, 'waiting'); require('node:fs').readSync(0, Buffer.alloc(1))";
    const worker = new Worker(code, { eval: true });
  }));`;

test('Ctrl-C once more ends a rank whose thread waits for others', async () => {
  const child = spawn(process.execPath, ['-e', program], { env: { ...process.env, WORLD_SIZE: '2' } });
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  child.kill('SIGINT');
  await once(child.stdout, 'data'); // it says that it stops
  child.kill('SIGINT');
  const limit = setTimeout(() => child.stdin.end(), 20_000);
  expect(await ended).toEqual([null, 'SIGINT']);
  clearTimeout(limit);
});

const dist = (path: string): string => JSON.stringify(join(__dirname, '../../dist', path));

test('Ctrl-C twice ends a command whose event loop does not turn', async () => {
  const blocked = `
    const { runCommand } = require(${dist('cli/run_command.js')});
    void runCommand('program', async () => {
      require(${dist('torch/addon.js')}).addon().endOnSecondInterrupt();
      require('node:fs').writeSync(1, 'waiting');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000);
    });`;
  const child = spawn(process.execPath, ['-e', blocked]);
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  child.kill('SIGINT');
  await new Promise((resolve) => setTimeout(resolve, 300)); // two signals at once are one
  child.kill('SIGINT');
  expect(await ended).toEqual([null, 'SIGINT']);
}, 40_000);

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('what is stopped by %s ends with %d', async (signal, code) => {
  const stopping = `
    const { runCommand } = require(${dist('cli/run_command.js')});
    const { CleanclipError } = require(${dist('errors.js')});
    const timer = setInterval(() => {}, 1000);
    void runCommand('program', ({ signal }) => new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => {
        clearInterval(timer);
        reject(new CleanclipError('It was stopped.', 'ERR_ABORTED'));
      });
      require('node:fs').writeSync(1, 'waiting');
    }));`;
  const child = spawn(process.execPath, ['-e', stopping]);
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  child.kill(signal);
  expect(await ended).toEqual([code, null]);
});

test('doctor goes on when nobody reads what it prints', () => {
  const { stderr } = spawnSync(
    'sh',
    ['-c', `"${process.execPath}" "${join(__dirname, '../../bin/cleanclip.js')}" doctor | true`],
    { encoding: 'utf8' },
  );
  expect(stderr).toBe('');
}, 40_000);
