import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { interpreter } from './python';

/**
 * A rank of two in Python, of a group whose store listens on a port: `input` as JSON on the script's stdin, JSON from
 * its stdout.
 */
export async function pythonRank(script: string, rank: number, port: number, input: unknown): Promise<unknown> {
  const met = {
    RANK: String(rank),
    WORLD_SIZE: '2',
    MASTER_ADDR: '127.0.0.1',
    MASTER_PORT: String(port),
    TORCHELASTIC_USE_AGENT_STORE: 'True',
  };
  const child = spawn(interpreter, [join(__dirname, script)], {
    env: { ...process.env, ...met, GLOO_SOCKET_IFNAME: 'lo' },
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: 110_000, // a cold start of Python's torch takes up to a minute on a busy machine
  });
  child.stdin.end(JSON.stringify(input));
  const [output, [code, signal]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  expect({ code, signal }).toEqual({ code: 0, signal: null });
  return JSON.parse(output);
}
