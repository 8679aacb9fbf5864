import type { LookupFunction } from 'node:net';

import { isPublic, Names } from '../../src/download/addresses';
import { Requests, retryAfter } from '../../src/download/request';
import { type ImageServer, serveImages } from './server';

test.each([
  ['93.184.216.34', true],
  ['2606:2800:220:1:248:1893:25c8:1946', true],
  ['::ffff:93.184.216.34', true],
  ['64:ff9b::5db8:d822', true], // NAT64 of 93.184.216.34
  ['0.0.0.0', false],
  ['10.1.2.3', false],
  ['100.64.0.1', false],
  ['127.255.0.1', false],
  ['169.254.169.254', false],
  ['172.31.0.1', false],
  ['192.168.1.1', false],
  ['198.18.0.1', false],
  ['224.0.0.1', false],
  ['255.255.255.255', false],
  ['::', false],
  ['::1', false],
  ['::127.0.0.1', false],
  ['::ffff:127.0.0.1', false],
  ['::ffff:c0a8:101', false],
  ['64:ff9b::7f00:1', false],
  ['64:ff9b:1::5db8:d822', false],
  ['2002:7f00:1::', false],
  ['2001:0:7f00:1::', false],
  ['fc00::1', false],
  ['fe80::1%eth0', false],
  ['fec0::1', false],
  ['ff02::1', false],
  ['not an address', false],
])('whether %s is public: %p', (address, expected) => expect(isPublic(address)).toBe(expected));

test('Retry-After is read as seconds or a date', () => {
  expect(retryAfter('3')).toBe(3000);
  expect(retryAfter('Wed, 21 Oct 2015 07:28:05 GMT', Date.parse('2015-10-21T07:28:00Z'))).toBe(5000);
  expect(retryAfter('Wed, 21 Oct 2015 07:28:05 GMT')).toBe(0);
  expect(retryAfter('soon')).toBeUndefined();
  expect(retryAfter(undefined)).toBeUndefined();
});

describe('a public server', () => {
  let server: ImageServer;
  beforeAll(async () => {
    server = await serveImages();
  });
  afterAll(() => server.close());

  // public.test counts as public, though its server is here; other names are resolved and checked as always
  const names = new Names(false);
  const lookup: LookupFunction = (name, options, callback) => {
    if (name !== 'public.test') return names.lookup(name, options, callback);
    if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
    else callback(null, '127.0.0.1', 4);
  };
  const options = { timeout: 5, redirects: 5, maxBytes: 1e6, perHost: 2, userAgent: 'test', allowPrivate: false };

  test.each(['http://127.0.0.1:PORT/i/1', 'http://localhost:PORT/i/1', 'http://[::ffff:7f00:1]:PORT/i/1'])(
    'cannot redirect to %s',
    async (target) => {
      const requests = new Requests(options, { lookup });
      const { port } = new URL(server.url);
      const location = encodeURIComponent(target.replace('PORT', port));
      expect(await requests.get(`http://public.test:${port}/i/1`)).toMatchObject({ status: 200 });
      const attempt = await requests.get(`http://public.test:${port}/to?${location}`);
      expect(attempt).toEqual({ error: expect.stringMatching(/^its address \S+ is not public/) as string });
      expect(server.asked.get('/i/1')).toBe(1);
      server.asked.clear();
      await requests.close();
    },
  );
});
