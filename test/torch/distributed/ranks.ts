import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { torch } from '../../../src/torch';

const { TCPStore } = torch.distributed;

/** What the scenarios of a rank gave, or how it ended without. */
export interface Outcome {
  values?: unknown[];
  error?: { name: string; code?: string; message: string };
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  /** milliseconds from when all ranks had loaded to the end */
  took: number;
  /** of performance.now() */
  endedAt: number;
}

export interface RanksOptions {
  /** milliseconds; default 10 000 */
  timeout?: number;
  silence?: number;
  env?: NodeJS.ProcessEnv;
  /** default env://, with a store that the test hosts */
  initMethod?: string;
  /** the scenario makes its own group; default false */
  noGroup?: boolean;
  /** milliseconds after which a process is killed; default 45 000 */
  patience?: number;
  /** a rank that the test stops: killed once the others have ended */
  stopped?: number;
  /** the network namespace of a rank; default the test's own */
  namespace?: (rank: number) => string;
  /** called with each rank's process and each message that is not its outcome */
  onMessage?: (rank: number, message: unknown, child: ChildProcess) => void;
}

/** A scenario of scenarios.js or joined_scenarios.js, and its arguments. */
export type Order = [scenario: string, ...args: unknown[]];

/** Runs scenarios in as many processes, one after the other, and waits for all to end. */
export async function runRanks(worldSize: number, orders: Order[], options: RanksOptions = {}): Promise<Outcome[]> {
  const { timeout = 10_000, silence, noGroup = false, initMethod, patience = 45_000 } = options;
  const store = await TCPStore.create({ host: '127.0.0.1', port: 0, isMaster: true });
  const met = {
    WORLD_SIZE: String(worldSize),
    MASTER_ADDR: '127.0.0.1',
    MASTER_PORT: String(store.port),
    TORCHELASTIC_USE_AGENT_STORE: 'True',
  };
  const running = new Map<number, ChildProcess>();
  let [ready, began] = [0, NaN];
  /** All begin together, so that no time limit counts the loading of others. */
  const begin = (): void => {
    began = performance.now();
    for (const child of running.values()) child.send('go');
  };
  const outcomes = await Promise.all(
    Array.from({ length: worldSize }, async (_, rank): Promise<Outcome> => {
      const group = { initMethod, rank, worldSize, timeout, silence };
      const within = options.namespace && {
        execPath: 'ip',
        execArgv: ['netns', 'exec', options.namespace(rank), process.execPath],
      };
      const child = fork(join(__dirname, 'rank.js'), [JSON.stringify({ orders, noGroup, group })], {
        serialization: 'advanced',
        ...within,
        env: { ...process.env, OMP_NUM_THREADS: '1', ...met, RANK: String(rank), ...options.env },
      });
      running.set(rank, child);
      const limit = setTimeout(() => child.kill('SIGKILL'), patience);
      let sent: Pick<Outcome, 'values' | 'error'> = {};
      child.on('message', (message: 'ready' | { outcome?: typeof sent }) => {
        if (message === 'ready') {
          if (++ready === worldSize) begin();
        } else if (message.outcome !== undefined) sent = message.outcome;
        else options.onMessage?.(rank, message, child);
      });
      const [[exitCode, signal]] = (await Promise.all([once(child, 'exit'), once(child, 'disconnect')])) as [
        [number | null, NodeJS.Signals | null],
        [],
      ];
      clearTimeout(limit);
      running.delete(rank);
      if (options.stopped !== undefined && running.size === 1) running.get(options.stopped)?.kill('SIGKILL');
      const endedAt = performance.now();
      return { ...sent, exitCode, signal, took: endedAt - began, endedAt };
    }),
  );
  store.close();
  return outcomes;
}

/** By scenario and rank, the values of ranks that all went well; throws what another one says. */
export async function valuesOf(worldSize: number, orders: Order[], options: RanksOptions = {}): Promise<unknown[][]> {
  const outcomes = await runRanks(worldSize, orders, options);
  const byRank = outcomes.map(({ values, error, exitCode, signal }, rank) => {
    if (values === undefined || exitCode !== 0)
      throw new Error(`Rank ${rank} ended with ${exitCode ?? signal}: ${error?.message ?? 'no word'}`);
    return values;
  });
  return orders.map((_, i) => byRank.map((values) => values[i]));
}
