import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How the server answers a request for weights. */
export type Answer = 'whole' | 'cut' | 'not found' | 'other bytes';

/** A web server on this machine that answers every request with `content`, or fails as told; `requests` holds the paths asked for. */
export async function serveWeights(content: Buffer): Promise<{ url: string; requests: string[]; answer: Answer; close: () => Promise<void> }> {
  const state = { url: '', requests: [] as string[], answer: 'whole' as Answer, close: () => closed(server) };
  const server = createServer((request, response) => {
    state.requests.push(request.url!);
    if (state.answer === 'not found') return void response.writeHead(404).end('nothing here');
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
