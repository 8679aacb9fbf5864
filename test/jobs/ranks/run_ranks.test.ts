import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { CleanclipError } from '../../../src/errors';
import { runRanks } from '../../../src/jobs/ranks/run_ranks';
import type { RankVariables } from '../../../src/jobs/ranks/variables';
import type { ProgressEvent } from '../../../src/progress';
import { until } from '../../support/command';
import { joined } from '../../support/patterns';
import { processesWith, running } from '../../support/processes';

type Order = [name: string, ...args: unknown[]];

let events: ProgressEvent[];
let pids: number[];
const lines = (): string[] => events.flatMap((event) => (event.type === 'log' ? [event.line] : []));

const variables = (rank: number, worldSize: number): RankVariables => ({
  RANK: String(rank),
  WORLD_SIZE: String(worldSize),
  LOCAL_RANK: String(rank),
  LOCAL_WORLD_SIZE: String(worldSize),
  MASTER_ADDR: `test-${process.pid}`,
  MASTER_PORT: '1',
  OMP_NUM_THREADS: '3',
});

/** Runs fake ranks that obey these orders. */
function run<Result>(orders: Order[], signal?: AbortSignal): Promise<Result> {
  const ranks = orders.map((_, i) => variables(i, orders.length));
  const onProgress = (event: ProgressEvent): void => {
    const pid = event.type === 'log' && /^pid (\d+)$/.exec(event.line)?.[1];
    if (pid) pids.push(Number(pid));
    else events.push(event);
  };
  return runRanks('train', { orders }, ranks, { signal, onProgress }, join(__dirname, 'fake_rank.js'));
}

beforeEach(() => ([events, pids] = [[], []]));
afterEach(() => expect(pids.filter(running)).toEqual([]));

test("the result and the events are rank 0's, the log lines all ranks'; prints begin with the rank", async () => {
  const printed: string[] = [];
  const spies = [process.stdout, process.stderr].map((stream) =>
    jest.spyOn(stream, 'write').mockImplementation((text) => printed.push(String(text)) > 0),
  );
  const result = await run([['work'], ['work']]);
  spies.forEach((spy) => spy.mockRestore());
  expect(result).toEqual(
    new Map<string, unknown>([
      ['rank', 0],
      ['world', '2'],
      ['threads', '3'],
    ]),
  );
  expect(lines().sort()).toEqual(['line of 0', 'line of 1']);
  expect(events.filter(({ type }) => type === 'progress')).toEqual([{ type: 'progress', done: 0, total: 9, text: '' }]);
  expect(printed.sort()).toEqual([
    'Rank 0 | a warning\n',
    'Rank 0 | from native code\n',
    'Rank 1 | a warning\n',
    'Rank 1 | from native code\n',
  ]);
});

test.each<[string, Order[], object]>([
  [
    'what a rank says of itself, not what others say of its end',
    [
      ['fail', 'ERR_DISTRIBUTED', 'Rank 0 of 2: the connection broke.'],
      ['fail', 'ERR_DATA', 'No such file.', 300],
    ],
    { code: 'ERR_DATA', message: 'Rank 1 of 2: No such file.' },
  ],
  [
    'one sentence when all say it',
    [
      ['fail', 'ERR_DATA', 'No such file.', 200],
      ['fail', 'ERR_DATA', 'No such file.'],
    ],
    { code: 'ERR_DATA', message: 'No such file.' },
  ],
  [
    'that a rank was killed',
    [
      ['fail', 'ERR_DISTRIBUTED', 'Rank 0 of 2: the connection broke.', 100],
      ['die', 'SIGKILL'],
    ],
    {
      code: 'ERR_DISTRIBUTED',
      message: expect.stringMatching(
        joined(
          /^Rank 1 of 2 was killed by SIGKILL; if nobody did that, memory ran out: /,
          /take fewer ranks or a smaller --batch_size\.$/,
        ),
      ),
    },
  ],
  [
    'that a rank crashed',
    [
      ['fail', 'ERR_DISTRIBUTED', 'It broke.', 100],
      ['die', 'SIGSEGV'],
    ],
    { code: 'ERR_DISTRIBUTED', message: 'Rank 1 of 2 was killed by SIGSEGV; look at what it printed last.' },
  ],
  [
    'that a rank ended too early',
    [
      ['exit', 7],
      ['fail', 'ERR_DISTRIBUTED', 'It broke.', 100],
    ],
    {
      code: 'ERR_DISTRIBUTED',
      message: 'Rank 0 of 2 ended with exit code 7 in the middle of its work; look at what it printed last.',
    },
  ],
  [
    'what ranks say of one that hangs',
    [['fail', 'ERR_DISTRIBUTED', 'Rank 1 does not answer.'], ['hang']],
    { code: 'ERR_DISTRIBUTED', message: 'Rank 1 does not answer.' },
  ],
])('the error says %s, within seconds', async (_, orders, error) => {
  const started = performance.now();
  const failed = run(orders);
  await expect(failed).rejects.toMatchObject(error);
  await expect(failed).rejects.toBeInstanceOf(CleanclipError);
  expect(performance.now() - started).toBeLessThan(20_000);
});

test('an abort reaches every rank; one that takes its time to save is not disturbed', async () => {
  const abort = new AbortController();
  const stopped = run(
    [
      ['save', 3500],
      ['save', 0],
    ],
    abort.signal,
  );
  const timer = setInterval(() => lines().length === 2 && abort.abort(), 10);
  await expect(stopped).rejects.toMatchObject({ code: 'ERR_ABORTED', message: 'It was stopped; it is saved.' });
  clearInterval(timer);
});

test('a failure to save goes before what the others say of the stop', async () => {
  const abort = new AbortController();
  const stopped = run(
    [
      ['save', 0],
      ['fail', 'ERR_DATA', 'The disk is full.', 500],
    ],
    abort.signal,
  );
  const timer = setInterval(() => lines().length === 1 && abort.abort(), 10);
  await expect(stopped).rejects.toMatchObject({ code: 'ERR_DATA', message: 'Rank 1 of 2: The disk is full.' });
  clearInterval(timer);
});

test('the first rank may take its time to save when another has failed', async () => {
  await expect(run([['failSaving', 4000], ['fail', 'ERR_DATA', 'No such file.'], ['hang']])).rejects.toMatchObject({
    message: 'Rank 1 of 3: No such file.',
  });
  expect(lines()).toEqual(['saved']);
});

test('an aborted job does not begin', async () => {
  await expect(run([['hang']], AbortSignal.abort())).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  expect(pids).toEqual([]);
});

test('a rank that hangs when rank 0 is done is ended', async () => {
  expect((await run<Map<string, unknown>>([['work'], ['hang']])).get('rank')).toBe(0);
});

test('when one cannot be started, those before it are ended', async () => {
  const ranks = [variables(0, 2), { ...variables(1, 2), MASTER_PORT: '\0' }];
  const started = runRanks('train', { orders: [['hang']] }, ranks, {}, join(__dirname, 'fake_rank.js'));
  await expect(started).rejects.toMatchObject({
    code: 'ERR_DISTRIBUTED',
    message: expect.stringContaining('Rank 1 of 2 could not be started: '),
  });
  await until(() => processesWith({ MASTER_ADDR: `test-${process.pid}` }).length === 0);
});

test('a rank that the system does not start', () => {
  const script = `
    process.execPath = '/nowhere/node';
    const { runRanks } = require('./dist/jobs/ranks/run_ranks');
    const run = runRanks('train', {}, [${JSON.stringify(variables(0, 1))}], {});
    run.catch(({ code, message }) => console.log(code, message));`;
  const { stdout } = spawnSync(process.execPath, ['-e', script], {
    cwd: join(__dirname, '../../..'),
    encoding: 'utf8',
  });
  expect(stdout).toBe('ERR_DISTRIBUTED Rank 0 of 1 could not be started: spawn /nowhere/node ENOENT.\n');
});
