import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { torch } from '../../../src/torch';
import { addon } from '../../../src/torch/addon';
import { until } from '../../support/command';

const { TCPStore, initProcessGroup } = torch.distributed;
const host = '127.0.0.1';

const others: ChildProcess[] = [];
afterAll(() => others.forEach((other) => other.kill('SIGKILL')));

/** A process in a role of heartbeat_process.js, and what it says once it is in it. */
async function begin(role: 'waits' | 'hosts', ...args: number[]): Promise<{ other: ChildProcess; said: string }> {
  const other = fork(join(__dirname, 'heartbeat_process.js'), [role, ...args.map(String)]);
  others.push(other);
  const [said] = (await once(other, 'message')) as [string];
  return { other, said };
}

test.concurrent(
  'a rank that was stopped for longer than silence means failure goes on, and blames nobody',
  async () => {
    const store = await TCPStore.create({ host, port: 0, isMaster: true });
    const { other } = await begin('waits', store.port);
    const beats = async (): Promise<number> => parseInt((await store.get('cleanclip/pulse/1')).toString(), 10);
    other.kill('SIGSTOP');
    await sleep(4000);
    const before = await beats();
    other.kill('SIGCONT');
    await sleep(2000);
    expect(await store.check(['cleanclip/cause'])).toBe(false);
    expect(await beats()).toBeGreaterThan(before);
    other.kill('SIGKILL');
    store.close();
  },
);

test.concurrent('where the host of the store is stopped, all limits are kept', async () => {
  const { other, said } = await begin('hosts');
  const port = Number(said);
  const store = await TCPStore.create({ host, port, timeout: 1000 });
  const failure = (start: Promise<unknown>): Promise<string> =>
    start.then(
      () => 'none',
      (error: Error) => error.message,
    );
  const joining = failure(
    initProcessGroup({ initMethod: `tcp://${host}:${port}`, rank: 1, worldSize: 2, timeout: 3000 }),
  );
  await until(() => store.check(['cleanclip/pulse/1']));
  other.kill('SIGSTOP');
  await sleep(300); // the signal takes effect a moment later
  const calls = [
    TCPStore.create({ host, port, timeout: 1000 }),
    store.wait(['never'], 500),
    store.get('never'),
    store.add('sum', 1),
    store.check(['key']),
    store.deleteKey('key'),
    addon().startHeartbeat(store.native, 0, 2, false, 60_000),
  ];
  for (const message of await Promise.all(calls.map(failure))) {
    expect(message).toContain('timed out, as the process that hosts the store does not answer');
  }
  expect(await joining).toBe(
    'Rank 1 of 2: initProcessGroup did not finish within its time limit of 3 s: rank 0, which hosts the store, ' +
      'has ended, was stopped or is cut off.',
  );
  other.kill('SIGKILL');
  store.close();
});

test.concurrent('what a rank announces while the store does not answer is left there once it does', async () => {
  const { other, said } = await begin('hosts');
  const store = await TCPStore.create({ host, port: Number(said) });
  const heartbeat = (await addon().startHeartbeat(store.native, 0, 1, false, 60_000))!;
  other.kill('SIGSTOP');
  await sleep(1200); // its pulse is under way
  await addon().announceFailure(heartbeat, 'rank 0 failed: no space is left');
  other.kill('SIGCONT');
  expect((await store.get('cleanclip/cause')).toString()).toBe('rank 0 failed: no space is left');
  await addon().stopHeartbeat(heartbeat);
  other.kill('SIGKILL');
  store.close();
});
