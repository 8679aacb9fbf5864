import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

/** How the server answers a request for weights. */
export type Answer = 'whole' | 'cut' | 'not found' | 'other bytes' | 'gzip' | 'endless' | 'silent' | 'trickle';

/**
 * A web server on this machine that answers every request with `content`, or fails as told; `requests` holds the paths
 * asked for.
 */
export async function serveWeights(
  content: Buffer,
): Promise<{ url: string; requests: string[]; answer: Answer; close: () => Promise<void> }> {
  const state = { url: '', requests: [] as string[], answer: 'whole' as Answer, close: () => closed(server) };
  const server = createServer((request, response) => {
    state.requests.push(request.url!);
    if (state.answer === 'not found') return void response.writeHead(404).end('nothing here');
    if (state.answer === 'gzip')
      return void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(content));
    if (state.answer === 'endless') return void pour(response.writeHead(200), Buffer.alloc(1 << 20));
    if (state.answer === 'trickle') return void pour(response.writeHead(200), Buffer.alloc(1), 20);
    if (state.answer === 'silent') return;
    response.writeHead(200, { 'content-length': content.length });
    if (state.answer === 'whole') return void response.end(content);
    if (state.answer === 'other bytes') return void response.end(Buffer.alloc(content.length, 7));
    response.write(content.subarray(0, content.length / 2), () => setTimeout(() => response.destroy(), 50));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/models`;
  return state;
}

const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.closeAllConnections();
    server.close(() => resolve());
  });

/** Sends the same bytes again and again until nobody listens. */
function pour(response: ServerResponse, bytes: Buffer, milliseconds = 0): void {
  const next = (): void => void (response.destroyed || response.write(bytes, () => setTimeout(next, milliseconds)));
  next();
}
