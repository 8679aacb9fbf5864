import { runRanks, type Outcome } from './ranks';

const failedAs = (outcome: Outcome, ...parts: string[]): void => {
  expect(outcome.error).toMatchObject({ name: 'CleanclipError', code: 'ERR_DISTRIBUTED' });
  for (const part of parts) expect(outcome.error?.message).toContain(part);
  expect([outcome.exitCode, outcome.signal]).toEqual([0, null]);
};

test.each([2, 4])('a rank of %i is killed within a collective', async (worldSize) => {
  const outcomes = await runRanks(worldSize, [['hit']], {
    timeout: 5000,
    onMessage: (_, message, child) => message === 'now' && child.kill('SIGKILL'),
  });
  outcomes.forEach((outcome, rank) => {
    if (rank === 1) expect(outcome.signal).toBe('SIGKILL');
    else failedAs(outcome, `Rank ${rank} of ${worldSize}: allReduce`, 'its time limit of 5 s');
  });
});

test('a rank is stopped within a collective', async () => {
  const worldSize = 3;
  let stopped = 0;
  const outcomes = await runRanks(worldSize, [['hit']], {
    timeout: 2000,
    onMessage: (_, message, child) => {
      if (message !== 'now') return;
      stopped = performance.now();
      child.kill('SIGSTOP');
      setTimeout(() => child.kill('SIGKILL'), 5000);
    },
  });
  expect(performance.now() - stopped).toBeLessThan(8000);
  outcomes.forEach((outcome, rank) => {
    if (rank !== 1) failedAs(outcome, `Rank ${rank} of ${worldSize}: allReduce`, 'its time limit of 2 s');
  });
});

test('a rank that does not come to a collective', async () => {
  const [waiting] = await runRanks(2, [['absent']], { timeout: 1000 });
  failedAs(waiting, 'Rank 0 of 2: allReduce did not finish within its time limit of 1 s: another rank has ended, hangs, or never came to it');
});

test('a message that is not sent', async () => {
  const [waiting] = await runRanks(2, [['noMessage']], { timeout: 1000 });
  failedAs(waiting, 'Rank 0 of 2: recv from rank 1 did not finish within its time limit of 1 s');
});

test('tensors of different shapes end in an error, not in a crash', async () => {
  for (const outcome of await runRanks(2, [['mismatch']], { timeout: 1000 })) failedAs(outcome, 'allReduce');
});

test('a process ends without leaving the group', async () => {
  expect(await runRanks(2, [['keepGroup']])).toMatchObject(Array(2).fill({ exitCode: 0, signal: null }));
});

test('process.exit while a collective waits', async () => {
  const outcomes = await runRanks(2, [['exit']], { timeout: 30_000 });
  for (const { exitCode, took } of outcomes) {
    expect(exitCode).toBe(3);
    expect(took).toBeLessThan(20_000);
  }
});

test('a worker thread ends while a collective waits', async () => {
  const outcomes = await runRanks(2, [['workerEnded']], { noGroup: true, timeout: 5000 });
  for (const { values, exitCode } of outcomes) expect([values, exitCode]).toEqual([[1], 0]);
});
