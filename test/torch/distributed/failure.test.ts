import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { freePort } from '../../../src/jobs/ranks/free_port';
import { Machines } from './machines';
import { type Order, type Outcome, type RanksOptions, runRanks } from './ranks';

jest.setTimeout(120_000); // many processes at once, on a busy machine

const failedAs = (outcome: Outcome, ...parts: string[]): void => {
  expect(outcome.error).toMatchObject({ name: 'CleanclipError', code: 'ERR_DISTRIBUTED' });
  for (const part of parts) expect(outcome.error?.message).toContain(part);
  expect([outcome.exitCode, outcome.signal]).toEqual([0, null]);
};

const gone = 'rank 1 has ended, was stopped or is cut off (no sign of life for 3 s).';
const hostGone = 'rank 0, which hosts the store, has ended, was stopped or is cut off.';

interface Hit {
  survivors: Outcome[];
  /** seconds from the deed to the end of the last survivor */
  seconds: number;
}

/** Runs ranks of which one, the victim, says when it is time for the deed, and gives how the others end. */
async function hit(
  victim: number,
  order: Order,
  deed: NodeJS.Signals | (() => void),
  options: RanksOptions = {},
): Promise<Hit> {
  let doneAt = 0;
  const outcomes = await runRanks(3, [order], {
    timeout: 90_000,
    patience: 100_000,
    stopped: victim,
    onMessage: (_, __, child) => {
      doneAt = performance.now();
      if (typeof deed === 'string') child.kill(deed);
      else deed();
    },
    ...options,
  });
  const survivors = outcomes.filter((_, rank) => rank !== victim);
  return { survivors, seconds: (Math.max(...survivors.map(({ endedAt }) => endedAt)) - doneAt) / 1000 };
}

const rankZeroHosts = async (): Promise<string> => `tcp://127.0.0.1:${await freePort()}`;

describe('the failure names the rank that', () => {
  test.concurrent('was killed within a collective', async () => {
    const { survivors, seconds } = await hit(1, ['hit'], 'SIGKILL');
    survivors.forEach((outcome, i) => failedAs(outcome, `Rank ${i * 2} of 3: allReduce failed: ${gone}`));
    expect(seconds).toBeLessThan(30);
  });

  test.concurrent('was killed within backward', async () => {
    const { survivors, seconds } = await hit(1, ['backwardWithout', 1, 'waits'], 'SIGKILL');
    survivors.forEach((outcome, i) => failedAs(outcome, `Rank ${i * 2} of 3: backward failed: ${gone}`));
    expect(seconds).toBeLessThan(30);
  });

  test.concurrent('was stopped within a collective, once its time limit is over', async () => {
    const { survivors, seconds } = await hit(1, ['hit'], 'SIGSTOP', { timeout: 4000 });
    survivors.forEach((outcome, i) => failedAs(outcome, `Rank ${i * 2} of 3: allReduce `, gone));
    expect(seconds).toBeLessThan(30);
  });

  test.concurrent('was stopped within backward, before the time limit when it is silent for long', async () => {
    const { survivors, seconds } = await hit(1, ['backwardWithout', 1, 'waits'], 'SIGSTOP', { silence: 3000 });
    survivors.forEach((outcome, i) => failedAs(outcome, `Rank ${i * 2} of 3: backward failed: ${gone}`));
    expect(seconds).toBeLessThan(30);
  });

  test.concurrent('hangs in code of its own', async () => {
    const { survivors, seconds } = await hit(1, ['backwardWithout', 1, 'hangs'], () => undefined, {
      timeout: 4000,
      silence: 3000,
    });
    const why = 'rank 1 did not come to backward within 4 s: it lives, but is slower, or hangs in code of its own.';
    for (const outcome of survivors) failedAs(outcome, why);
    expect(seconds).toBeLessThan(30);
  });

  test.concurrent.each([
    ['killed', 'SIGKILL'],
    ['stopped', 'SIGSTOP'],
  ] as const)('hosts the store and was %s', async (_, signal) => {
    const { survivors, seconds } = await hit(0, ['hit', 0], signal, {
      silence: 3000,
      initMethod: await rankZeroHosts(),
    });
    survivors.forEach((outcome, i) => failedAs(outcome, `Rank ${i + 1} of 3: allReduce failed: ${hostGone}`));
    expect(seconds).toBeLessThan(30);
  });

  test.concurrent('failed by itself', async () => {
    const { survivors, seconds } = await hit(1, ['backwardWithout', 1, 'fails'], () => undefined, {
      initMethod: await rankZeroHosts(),
    });
    for (const outcome of survivors)
      failedAs(outcome, 'backward failed: rank 1 failed: there are 3 pixels where 4 were expected.');
    expect(seconds).toBeLessThan(30);
  });

  test.concurrent('left the group', async () => {
    const { survivors } = await hit(1, ['leaves'], () => undefined);
    for (const outcome of survivors) failedAs(outcome, 'allReduce failed: rank 1 has left the group.');
  });

  test.concurrent('does not come to a collective', async () => {
    const [waiting] = await runRanks(2, [['absent']], { timeout: 3000, stopped: 1 });
    failedAs(
      waiting,
      'Rank 0 of 2: allReduce did not finish within its time limit of 3 s: rank 1 did not come to allReduce within 3 s',
    );
  });
});

const machines = new Machines();
const connected = machines.connect();
afterAll(() => machines.remove());

(connected ? test : test.skip)('the failure names the ranks behind a cut cable', async () => {
  const { survivors, seconds } = await hit(-1, ['hit', 0], () => machines.cut(), {
    silence: 3000,
    initMethod: `tcp://${machines.address}:7309`,
    namespace: (rank) => machines.name(rank === 2 ? 1 : 0),
  });
  survivors.forEach((outcome, rank) =>
    failedAs(outcome, `Rank ${rank} of 3: allReduce failed: ${rank === 2 ? hostGone : gone.replace('1', '2')}`),
  );
  expect(seconds).toBeLessThan(30);
});

describe('where nothing tells which rank it was', () => {
  test('the ranks met in a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cleanclip-failure-'));
    const { survivors } = await hit(1, ['hit'], 'SIGKILL', {
      initMethod: pathToFileURL(join(folder, 'store')).href,
      timeout: 5000,
    });
    for (const outcome of survivors) failedAs(outcome, 'allReduce');
    expect(
      survivors.some(({ error }) =>
        error?.message.includes('the connection to another rank broke, so look at what the others say'),
      ),
    ).toBe(true);
    rmSync(folder, { recursive: true });
  });

  test('it is of another library', async () => {
    const { survivors } = await hit(1, ['noHeartbeat'], () => undefined, { noGroup: true });
    for (const outcome of survivors)
      failedAs(outcome, 'allReduce failed: nothing was heard of rank 1 (it did not come, or runs another library).');
  });

  test('a message that is not sent', async () => {
    const [waiting] = await runRanks(2, [['noMessage']], { timeout: 1000, stopped: 1 });
    failedAs(waiting, 'Rank 0 of 2: recv from rank 1 did not finish within its time limit of 1 s');
  });

  test('tensors of different shapes end in an error, not in a crash', async () => {
    for (const outcome of await runRanks(2, [['mismatch']], { timeout: 1000 })) failedAs(outcome, 'allReduce');
  });
});

describe('without a failure', () => {
  test('a process ends without leaving the group', async () => {
    expect(await runRanks(2, [['keepGroup']])).toMatchObject(Array(2).fill({ exitCode: 0, signal: null }));
  });

  test('process.exit while a collective waits', async () => {
    const outcomes = await runRanks(2, [['exit']], { timeout: 90_000 });
    for (const { exitCode, took } of outcomes) {
      expect(exitCode).toBe(3);
      expect(took).toBeLessThan(30_000);
    }
  });

  test('a worker thread ends while a collective waits', async () => {
    const outcomes = await runRanks(2, [['workerEnded']], { noGroup: true, timeout: 20_000 });
    for (const { values, exitCode } of outcomes) expect([values, exitCode]).toEqual([[1], 0]);
  });
});
