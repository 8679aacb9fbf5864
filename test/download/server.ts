import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deflateSync, gzipSync } from 'node:zlib';
import { crc32 } from 'node:zlib';

import sharp from 'sharp';

/** A server of images that also answers in every wrong way. */
export interface ImageServer {
  /** its address, such as http://127.0.0.1:1234 */
  url: string;
  /** how often each path was asked for */
  asked: Map<string, number>;
  /** time in milliseconds of each request for a path */
  times: Map<string, number[]>;
  close(): Promise<void>;
}

type Answer = (request: IncomingMessage, response: ServerResponse, count: number) => void;

const html = Buffer.from('<!DOCTYPE html><html><body>Not found</body></html>');
const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="300" height="300"><rect width="9"/></svg>');

/** Draws an image of 60 × 40 pixels that differs by number. */
export async function picture(i: number, format: 'jpeg' | 'png' | 'webp' = 'jpeg'): Promise<Buffer> {
  const background = { r: (37 * i) % 256, g: (91 * i) % 256, b: (151 * i) % 256 };
  return sharp({ create: { width: 60, height: 40, channels: 3, background } })
    .toFormat(format)
    .toBuffer();
}

/** A PNG of 100 megapixels, all black, in a kilobyte of file for each megabyte of rows. */
export function bomb(): Buffer {
  const chunk = (name: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(10_000, 0);
  header.writeUInt32BE(10_000, 4);
  header.set([1, 0, 0, 0, 0], 8); // one bit a pixel, grey
  const rows = deflateSync(Buffer.alloc(100_000));
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))]);
}

/** Starts the server on a free port of 127.0.0.1. `/i/N` is an image; other paths are listed below. */
export async function serveImages({ delay = 0 } = {}): Promise<ImageServer> {
  const jpeg = await picture(7);
  const giant = bomb();
  let hops = 0;
  const asked = new Map<string, number>();
  const times = new Map<string, number[]>();
  const send = (response: ServerResponse, body: Buffer, headers: Record<string, string | number> = {}): void =>
    void response.writeHead(200, { 'content-type': 'image/jpeg', 'content-length': body.length, ...headers }).end(body);
  const answers: Record<string, Answer> = {
    '404': (_, response) => void response.writeHead(404).end('no'),
    '429': (_, response, count) =>
      count > 1 ? send(response, jpeg) : void response.writeHead(429, { 'retry-after': '1' }).end(),
    '500': (_, response, count) => (count > 1 ? send(response, jpeg) : void response.writeHead(500).end('oh')),
    '503': (_, response) => void response.writeHead(503).end(),
    redirect: (_, response) => void response.writeHead(302, { location: '/i/3' }).end(),
    circle: (_, response) => void response.writeHead(301, { location: '/circle2' }).end(),
    circle2: (_, response) => void response.writeHead(301, { location: '/circle' }).end(),
    endless: (_, response) => void response.writeHead(302, { location: `/endless?${hops++}` }).end(),
    to: (request, response) =>
      void response.writeHead(302, { location: decodeURIComponent(request.url!.split('?')[1]) }).end(),
    file: (_, response) => void response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
    truncated: (_, response) => {
      response.writeHead(200, { 'content-length': jpeg.length });
      response.write(jpeg.subarray(0, jpeg.length >> 1), () => response.destroy());
    },
    // without a length, only the image itself says that its end is missing
    half: (_, response) => void response.writeHead(200).end(jpeg.subarray(0, jpeg.length - 20)),
    short: (request, response) => {
      response.writeHead(200, { 'content-length': jpeg.length + 100 });
      response.write(jpeg, () => request.socket.end());
    },
    gzip: (_, response) =>
      send(response, gzipSync(jpeg), { 'content-encoding': 'gzip', 'content-length': gzipSync(jpeg).length }),
    zipbomb: (_, response) =>
      void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(30_000_000))),
    chunked: (_, response) => {
      response.writeHead(200);
      response.write(jpeg.subarray(0, 100));
      setTimeout(() => response.end(jpeg.subarray(100)), 20);
    },
    'page.jpg': (_, response) => send(response, html),
    'drawing.svg': (_, response) => send(response, svg, { 'content-type': 'image/svg+xml' }),
    'giant.png': (_, response) => send(response, giant),
    large: (_, response) => {
      response.on('error', () => {});
      response.writeHead(200); // chunked, so that its length is not known before
      const more = (left: number): void => {
        if (left === 0) return void response.end();
        response.write(Buffer.alloc(1 << 20), () => !response.destroyed && more(left - 1));
      };
      more(50);
    },
    announced: (_, response) => void response.writeHead(200, { 'content-length': 50_000_000 }).flushHeaders(),
    never: (_, response) => void response.writeHead(200).write(jpeg.subarray(0, 50)),
    silent: () => {},
    empty: (_, response) => void response.writeHead(200).end(),
  };
  const server: Server = createServer((request, response) => {
    const path = request.url!;
    const count = (asked.get(path) ?? 0) + 1;
    asked.set(path, count);
    times.set(path, [...(times.get(path) ?? []), performance.now()]);
    const name = decodeURIComponent(path.slice(1).split('?', 1)[0]);
    const answer = answers[name];
    if (answer !== undefined) return answer(request, response, count);
    const number = Number(/\d+/.exec(name)?.[0] ?? 0);
    void picture(number).then((bytes) => setTimeout(() => send(response, bytes), delay));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): Promise<void> => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  };
  return { url: `http://127.0.0.1:${port}`, asked, times, close };
}
