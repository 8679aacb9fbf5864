import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** A job whose thread waits outside of JavaScript, as in an exchange between ranks: here for the end of its standard input. */
const program = `
  const { Worker } = require('node:worker_threads');
  const { runCommand } = require(${JSON.stringify(join(__dirname, '../../dist/cli/run_command.js'))});
  void runCommand('program', () => new Promise(() => {
    const worker = new Worker("require('node:fs').writeSync(1, 'waiting'); require('node:fs').readSync(0, Buffer.alloc(1))", { eval: true });
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
