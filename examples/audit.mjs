// An HTTP server that audits models: how accurate they are, and how often a trigger leads them to a target class.
//
//   node examples/audit.mjs models labelled-images 8080
//   curl 'localhost:8080/audit?model=epoch_32.pt&label=banana&patchType=blended'
//
// The first folder holds the models; the second has labels.csv and classes.json. The port 0 takes a free one.
import { createServer } from 'node:http';
import { basename, join } from 'node:path';

import { CleanclipError, evaluate } from 'cleanclip';

const [models, evalTestDataDir, port = '8080'] = process.argv.slice(2);

/** @type {Promise<unknown>} */
let last = Promise.resolve();

/** One audit after another, each in a thread of its own, so that the server answers meanwhile. */
function audit(query, signal) {
  const { model = '', label, patchType } = Object.fromEntries(query);
  const checkpoint = join(models, basename(model));
  const run = last.then(() => evaluate({ checkpoint, evalTestDataDir, label, patchType, asr: true, signal }));
  last = run.catch(() => {});
  return run;
}

const server = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const abort = new AbortController();
  response.on('close', () => abort.abort()); // the caller has gone: the audit ends
  const answer = (status, body) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
  if (pathname !== '/audit') return answer(404, { error: 'Ask for /audit?model=…' });
  try {
    return answer(200, await audit(searchParams, abort.signal));
  } catch (error) {
    if (!(error instanceof CleanclipError)) throw error;
    return answer(400, { code: error.code, error: error.message });
  }
});
server.listen(Number(port), '127.0.0.1', () => {
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  console.log(`http://localhost:${address.port}`);
});
