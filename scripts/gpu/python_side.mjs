// Python's torch as a child process that answers one line of JSON with another; see python/side.py.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { device, python, root } from './stage.mjs';

/** Starts it. `ask` rejects once it has ended, and for what it could not do: `code` is 'OOM' when memory ran out. */
export function openPython() {
  const child = spawn(python, [join(root, 'scripts/gpu/python/side.py'), device], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, PYTHONPATH: join(root, 'test/parity') },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  child.stdin.on('error', () => {}); // it has ended, which the next answer tells
  return {
    ask: async (message) => {
      child.stdin.write(`${JSON.stringify(message)}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error('Python has ended; what it said stands above.');
      const answer = JSON.parse(value);
      if (answer.error !== undefined) throw Object.assign(new Error(answer.error), { code: answer.code });
      return answer;
    },
    close: () => child.stdin.end(),
  };
}
