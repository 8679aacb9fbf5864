// A group of processes of one side, one per rank. Each does what a line of JSON says, {"action", …}, and answers with a
// line of JSON.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';

/**
 * Starts the ranks of a side and lets each make its first step.
 * @param {'node' | 'torch'} side
 * @param {string} folder the folder of a model, see inputs.mjs
 * @param [network] the network between the ranks, see cable.mjs; by default the loopback interface
 * @returns {Promise<{ start: number, losses: number[], all: (message: object) => Promise<object[]>, close: () =>
 * Promise<number>, kill: () => void }>} `start`: seconds until all have made their first step; `losses`: of that step;
 * `all`: sends a message to all ranks; `close`: ends the ranks, and returns the seconds that this takes
 */
export async function openRanks(side, worldSize, folder, { root, python, env }, network) {
  const own = side === 'node' ? [process.execPath, 'rank.mjs'] : [python, 'rank.py'];
  const meeting = await meetingOf(worldSize);
  const started = performance.now();
  const ranks = Array.from({ length: worldSize }, (_, rank) => {
    const [command, ...args] = network === undefined ? own : network.on(rank, own);
    const child = spawn(command, args, {
      cwd: join(root, 'bench', 'distributed'),
      env: { ...env, ...meeting, ...network?.variables, RANK: String(rank), OMP_NUM_THREADS: '1' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    return { child, answers: answersOf(child), ended: once(child, 'close') };
  });
  const all = (message) => Promise.all(ranks.map(({ child, answers }) => ask(child, answers, message)));
  const kill = () => ranks.forEach(({ child }) => child.kill('SIGKILL'));
  try {
    const answers = await all({ action: 'open', folder });
    return { start: secondsSince(started), losses: answers.map(({ loss }) => loss), all, close, kill };
  } catch (error) {
    kill();
    throw error;
  }

  async function close() {
    const asked = performance.now();
    await all({ action: 'close' });
    ranks.forEach(({ child }) => child.stdin.end());
    await Promise.all(ranks.map(({ ended }) => ended));
    return secondsSince(asked);
  }
}

/**
 * Returns the variables by which ranks on the loopback interface find each other, as a launcher sets them. RANK, which
 * differs between ranks, is not among them.
 */
export async function meetingOf(worldSize) {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return {
    WORLD_SIZE: String(worldSize),
    MASTER_ADDR: '127.0.0.1',
    MASTER_PORT: String(port),
    GLOO_SOCKET_IFNAME: 'lo',
  };
}

const secondsSince = (start) => (performance.now() - start) / 1000;

/** Yields the lines of JSON; Gloo writes other lines. */
async function* answersOf({ stdout }) {
  for await (const line of createInterface({ input: stdout })) if (line.startsWith('{')) yield JSON.parse(line);
}

async function ask(child, answers, message) {
  child.stdin.write(`${JSON.stringify(message)}\n`);
  const { value, done } = await answers.next();
  if (done) throw new Error(`A rank ended at '${message.action}'; its own message is above.`);
  return value;
}
