import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';

import { torch } from '../../../src/torch';

const { TCPStore } = torch.distributed;

/** The addresses, as the kernel writes them, on which something listens at a port. */
function listening(port: number): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, local, , state]) => local?.endsWith(`:${wanted}`) && state === '0A')
      .map(([, local]) => local.split(':')[0]),
  );
}

test.each(['127.0.0.1', 'localhost'])(
  'a store of %s is for this machine alone, and for all of its processes',
  async (host) => {
    const store = await TCPStore.create({ host, port: 0, isMaster: true, timeout: 20_000, loopback: true });
    const client = await TCPStore.create({ host, port: store.port, timeout: 20_000 });
    await client.set('key', 'value');
    expect((await store.get('key')).toString()).toBe('value');
    expect(listening(store.port)).toEqual(['0100007F']);

    const [other] = Object.values(networkInterfaces())
      .flatMap((all) => all ?? [])
      .filter(({ internal, family }) => !internal && family === 'IPv4');
    if (other !== undefined)
      await expect(TCPStore.create({ host: other.address, port: store.port, timeout: 1000 })).rejects.toMatchObject({
        code: 'ERR_DISTRIBUTED',
      });
    client.close();
    store.close();
  },
  60_000,
);

test.each([
  ['localhost', false],
  ['0.0.0.0', true],
])(
  'a store of %s with loopback %p listens on all interfaces, as c10d does',
  async (host, loopback) => {
    const store = await TCPStore.create({ host, port: 0, isMaster: true, timeout: 20_000, loopback });
    expect(listening(store.port)).not.toContain('0100007F');
    store.close();
  },
  60_000,
);

test('a second master of one process has the same server', async () => {
  const store = await TCPStore.create({ host: '127.0.0.1', port: 0, isMaster: true, timeout: 20_000, loopback: true });
  const again = await TCPStore.create({
    host: '127.0.0.1',
    port: store.port,
    isMaster: true,
    timeout: 20_000,
    loopback: true,
  }); // of one process: the same server
  expect(again.port).toBe(store.port);
  again.close();
  store.close();
}, 60_000);
