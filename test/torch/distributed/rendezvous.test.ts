import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { freePort } from '../../../src/jobs/ranks/free_port';
import { torch } from '../../../src/torch';
import { type Order, runRanks, valuesOf } from './ranks';

const { distributed } = torch;
const { FileStore, TCPStore } = distributed;

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'cleanclip-rendezvous-'))));
afterAll(() => rmSync(folder, { recursive: true }));

describe('stores', () => {
  test.each(['tcp', 'file'])('%s: keys, counters and waiting', async (kind) => {
    const make = async (isMaster: boolean, port: number) =>
      kind === 'file'
        ? FileStore.create(join(folder, 'keys'), 2, 2000)
        : TCPStore.create({ host: '127.0.0.1', port, isMaster, timeout: 2000 });
    const one = await make(true, 0);
    const two = await make(false, one instanceof TCPStore ? one.port : 0);

    const waiting = two.get('key');
    await one.set('other', Uint8Array.of(1, 0, 255));
    await one.set('key', 'ü');
    expect((await waiting).toString()).toBe('ü');
    expect([...(await two.get('other'))]).toEqual([1, 0, 255]);
    await two.wait(['key', 'other']);
    expect([await one.add('count', 2), await two.add('count', 3)]).toEqual([2, 5]);
    expect([await two.check(['key']), await two.check(['key', 'none'])]).toEqual([true, false]);
    expect([await two.deleteKey('key'), await one.check(['key'])]).toEqual([true, false]);

    const limited = one.wait(['never'], 300);
    await expect(limited).rejects.toMatchObject({
      code: 'ERR_DISTRIBUTED',
      message: expect.stringContaining('its time limit of 0.3 s'),
    });
    await expect(limited).rejects.toThrow("wait('never') did not finish");
    two.close();
    one.close();
    await expect(one.set('key', '')).rejects.toThrow('This store was closed');
  });

  test('one that waits does not keep others of its process from theirs', async () => {
    const store = await TCPStore.create({ host: '127.0.0.1', port: 0, isMaster: true, timeout: 5000 });
    const waiting = store.get('late');
    await store.set('late', 'here');
    expect((await waiting).toString()).toBe('here');
    store.close();
  });

  test('no master in time', async () => {
    const connecting = TCPStore.create({ host: '127.0.0.1', port: await freePort(), timeout: 1000 });
    await expect(connecting).rejects.toMatchObject({
      code: 'ERR_DISTRIBUTED',
      message: expect.stringContaining('connecting'),
    });
    await expect(connecting).rejects.toThrow('within its time limit of 1 s');
  });
});

describe('init methods', () => {
  test('env:// where rank 0 hosts the store', async () => {
    const env = { MASTER_PORT: String(await freePort()), TORCHELASTIC_USE_AGENT_STORE: '' };
    expect(await valuesOf(2, [['byEnvironment']], { noGroup: true, env })).toEqual([[3, 3]]);
  });

  test("env:// with the store of torchrun's agent", async () => {
    expect(await valuesOf(2, [['byEnvironment']], { noGroup: true })).toEqual([[3, 3]]);
  });

  test('tcp:// and file://', async () => {
    const facts = [[0, 1].map((rank) => [true, rank, 2, 'gloo'])];
    expect(await valuesOf(2, [['facts']], { initMethod: `tcp://127.0.0.1:${await freePort()}` })).toEqual(facts);
    expect(await valuesOf(2, [['facts']], { initMethod: pathToFileURL(join(folder, 'meeting place')).href })).toEqual(
      facts,
    );
  });

  test("a store of one's own, and the interface of GLOO_SOCKET_IFNAME", async () => {
    const store = await TCPStore.create({ host: '127.0.0.1', port: 0, isMaster: true });
    const orders: Order[] = [['byStore', store.port]];
    expect(await valuesOf(2, orders, { noGroup: true, env: { GLOO_SOCKET_IFNAME: 'lo' } })).toEqual([[3, 3]]);
    const outcomes = await runRanks(2, orders, {
      noGroup: true,
      env: { GLOO_SOCKET_IFNAME: 'nosuch0' },
      timeout: 2000,
    });
    // The rank that is later may only see that the other has left.
    const messages = outcomes.map(({ error }) => error?.message ?? '');
    expect(outcomes.map(({ error }) => error?.code)).toEqual(['ERR_DISTRIBUTED', 'ERR_DISTRIBUTED']);
    expect(messages.filter((message) => /nosuch0|has left the group/.test(message))).toHaveLength(2);
    expect(messages.join()).toContain('nosuch0');
    store.close();
  });

  test.each([
    [{ initMethod: 'mpi://x' }, "initMethod must be env://, tcp://host:port or file:///path, but it is 'mpi://x'."],
    [{ initMethod: 'tcp://host', rank: 0, worldSize: 1 }, 'initMethod must be'],
    [{ initMethod: 'tcp://127.0.0.1:1', rank: 2, worldSize: 2 }, 'rank must be an integer from 0 to 1, but is 2.'],
    [{ initMethod: 'tcp://127.0.0.1:1', rank: 0 }, 'worldSize must be an integer of at least 1 (ranks)'],
    [{ silence: 1000 }, 'silence must be 3000 milliseconds or more'],
    [{ timeout: 0 }, 'timeout must be an integer from 1 to 2,147,483,647 (milliseconds)'],
    [{ backend: 'mpi' as 'gloo' }, "backend must be 'gloo' or 'nccl', but it is 'mpi'."],
    [{}, 'env:// needs the environment variable RANK, an integer, but it is not set.'],
  ])('%j is refused', async (options, message) => {
    await expect(distributed.initProcessGroup(options)).rejects.toMatchObject({
      code: 'ERR_OPTION',
      message: expect.stringContaining(message),
    });
    expect(distributed.isInitialized()).toBe(false);
  });

  test('a rank that does not come', async () => {
    const joining = distributed.initProcessGroup({
      initMethod: `tcp://127.0.0.1:${await freePort()}`,
      rank: 0,
      worldSize: 2,
      timeout: 1000,
    });
    await expect(joining).rejects.toMatchObject({ code: 'ERR_DISTRIBUTED' });
    const why = 'nothing was heard of rank 1 (it did not come, or runs another library).';
    await expect(joining).rejects.toThrow(
      `Rank 0 of 2: initProcessGroup did not finish within its time limit of 1 s: ${why}`,
    );
  });

  test('without a group there is nothing to call', async () => {
    await expect(distributed.allReduce(torch.ones([1]))).rejects.toThrow('There is no process group in this thread');
    expect(() => distributed.getRank()).toThrow('There is no process group in this thread');
  });
});
