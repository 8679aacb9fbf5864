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
    timeout: 50_000,
  });
  child.stdin.end(JSON.stringify(input));
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  expect(code).toBe(0);
  return JSON.parse(output);
}
