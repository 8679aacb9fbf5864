import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

import { freePort } from '../../../src/jobs/ranks/free_port';
import { torch } from '../../../src/torch';
import { addon } from '../../../src/torch/addon';
import type { NativeHeartbeat } from '../../../src/torch/distributed/native';
import type { TCPStore } from '../../../src/torch/distributed/store';
import { until } from '../../support/command';

const { distributed } = torch;

let store: TCPStore;
beforeEach(async () => (store = await distributed.TCPStore.create({ host: '127.0.0.1', port: 0, isMaster: true })));
afterEach(() => store.close());

/** The heartbeats of the first ranks of a group, all in this process. */
const heartbeatsOf = async (worldSize: number, there = worldSize): Promise<NativeHeartbeat[]> =>
  (await Promise.all(
    Array.from({ length: there }, (_, rank) => addon().startHeartbeat(store.native, rank, worldSize, false, 60_000)),
  )) as NativeHeartbeat[];

const stop = async (heartbeats: NativeHeartbeat[]): Promise<void> => {
  await Promise.all(heartbeats.map((heartbeat) => addon().stopHeartbeat(heartbeat)));
};

test('ranks that were never heard, of which many are counted', async () => {
  const heartbeats = await heartbeatsOf(12, 2);
  const cause =
    'nothing was heard of ranks 2, 3, 4, 5, 6, 7, 8, 9 and 2 more (they did not come, or run another library)';
  expect(await addon().findCause(heartbeats[0], 'allReduce', 1, '', 'it broke')).toBe(cause);
  await stop(heartbeats);
});

test('ranks that left', async () => {
  const heartbeats = await heartbeatsOf(4);
  await stop(heartbeats.slice(1, 3));
  expect(await addon().findCause(heartbeats[0], 'allReduce', 1, '', 'it broke')).toBe(
    'ranks 1 and 2 have left the group',
  );
  await stop([heartbeats[0], heartbeats[3]]);
});

test('a rank that leaves while its pulse is under way has left all the same', async () => {
  for (let round = 0; round < 10; round++) {
    const heartbeats = await heartbeatsOf(1);
    // an announcement has the pulse shown at once
    await Promise.all([addon().announceFailure(heartbeats[0], 'rank 0 failed'), stop(heartbeats)]);
    // leaving waits a second at most for it
    await until(async () => (await store.get('cleanclip/pulse/0')).toString().endsWith(' 1'));
  }
});

test('ranks that are behind: they have begun less, and wait for nothing', async () => {
  const heartbeats = await heartbeatsOf(4);
  expect([0, 2].map((rank) => addon().beginOperation(heartbeats[rank], true))).toEqual([1, 1]);
  addon().beginOperation(heartbeats[3], false);
  addon().endOperation(heartbeats[2]); // it has come, and gone on
  const cause = 'rank 1 did not come to allReduce within 5 s: it lives, but is slower, or hangs in code of its own';
  expect(await addon().findCause(heartbeats[0], 'allReduce', 1, '5 s', 'timed out')).toBe(cause);
  await stop(heartbeats);
});

test('a rank whose connection another one closed hears from that one who did not come', async () => {
  const heartbeats = await heartbeatsOf(3);
  for (const heartbeat of [heartbeats[0], heartbeats[2]]) addon().beginOperation(heartbeat, true);
  await sleep(1700); // all have beaten, and will again after 0.3 s
  const closed = addon().findCause(heartbeats[2], 'allReduce', 1, '', 'Connection closed by peer');
  await sleep(600);
  const over = addon().findCause(heartbeats[0], 'allReduce', 1, '4 s', 'timed out');
  const cause = 'rank 1 did not come to allReduce within 4 s: it lives, but is slower, or hangs in code of its own';
  expect(await Promise.all([closed, over])).toEqual([cause, cause]);
  await stop(heartbeats);
});

test('without another cause the first failure is the cause, and all ranks get the first cause', async () => {
  const heartbeats = await heartbeatsOf(3);
  expect(await addon().findCause(heartbeats[0], 'allReduce', 1, '', 'it broke')).toBe('');
  await addon().announceFailure(heartbeats[1], 'rank 1 failed: too late');
  for (const heartbeat of heartbeats.slice(1))
    expect(await addon().findCause(heartbeat, 'barrier', 2, '', '')).toBe('rank 0 failed in allReduce: it broke');
  await stop(heartbeats);
});

test('the keys are of their own', async () => {
  const heartbeats = await heartbeatsOf(1);
  expect(await store.check(['cleanclip/pulse/0'])).toBe(true);
  await addon().announceFailure(heartbeats[0], 'rank 0 failed: ü');
  expect((await store.get('cleanclip/cause')).toString()).toBe('rank 0 failed: ü');
  await stop(heartbeats);
});

test('a heartbeat ends with the thread of its rank, not with the process', async () => {
  const group = { initMethod: `tcp://127.0.0.1:${await freePort()}`, worldSize: 2, timeout: 20_000 };
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
     const { torch } = require(workerData.library);
     torch.distributed
       .initProcessGroup(workerData.group)
       .then(() => setInterval(() => {}, 1000) && parentPort.postMessage('there'));`,
    { eval: true, workerData: { library: require.resolve('../../../dist'), group: { ...group, rank: 1 } } },
  );
  await Promise.all([
    distributed.initProcessGroup({ ...group, rank: 0 }),
    new Promise((resolve) => worker.once('message', resolve)),
  ]);
  await worker.terminate();
  await expect(distributed.allReduce(torch.ones([1]))).rejects.toThrow(
    'rank 1 has ended, was stopped or is cut off (no sign of life for 3 s)',
  );
  await distributed.destroyProcessGroup();
});
