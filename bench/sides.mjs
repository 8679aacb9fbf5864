// A side is a child process for one measurement: it prepares once, and measures when asked. A message is a line of
// JSON.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/**
 * Starts a side and lets it prepare.
 * @param {'node' | 'reference' | 'open_clip'} name
 * @param {{ module: string, args: object }} task a module of bench/node/ or bench/python/, and its arguments of
 * `prepare`
 * @returns `measure()`, a promise of what the module measures, and `close()`, which waits for the end of the process
 */
export async function openSide(name, { module, args }, { root, python, env }) {
  const folder = join(root, 'bench', name === 'node' ? 'node' : 'python');
  const command = name === 'node' ? [process.execPath, 'side.mjs'] : [python, 'side.py'];
  const child = spawn(command[0], command.slice(1), { cwd: folder, env, stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise((done) => child.once('close', done));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (message) => {
    child.stdin.write(`${JSON.stringify(message)}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error(`The ${name} side of '${module}' ended; its own message is above.`);
    return JSON.parse(value);
  };
  await ask({ module, args: { ...args, side: name } });
  return {
    measure: () => ask('measure'),
    close: async () => {
      child.stdin.end();
      await ended;
    },
  };
}
