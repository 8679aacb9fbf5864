import crypto from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

import { freePort } from '../../../src/jobs/ranks/free_port';

test('is one that nothing listens on, out of those that the system gives to connections', async () => {
  const server = createServer().listen(await freePort(), '127.0.0.1');
  await once(server, 'listening');
  const { port: taken } = server.address() as AddressInfo;
  const draw = jest.spyOn(crypto, 'randomInt').mockImplementationOnce(() => taken);
  const port = await freePort();
  expect(draw.mock.calls).toEqual([
    [20_000, 32_768],
    [20_000, 32_768],
  ]);
  expect(port).not.toBe(taken);
  server.close();
});
