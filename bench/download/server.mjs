// Serves photographs from memory: `node server.mjs FOLDER` prints its port. Every path gets one of them.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

import { photographs } from '../node/inputs.mjs';

const folder = process.argv[2];
const bodies = (await photographs(folder)).map((name) => readFileSync(join(folder, name)));
const server = createServer((request, response) => {
  const body = bodies[Number(/\d+/.exec(request.url)) % bodies.length];
  response.writeHead(200, { 'content-type': 'image/jpeg', 'content-length': body.length }).end(body);
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
