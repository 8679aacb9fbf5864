import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import { WeightsAndBiases } from '../../../src/run/reporters/wandb';
import { interpreter } from '../../parity/python';
import { wandbFile } from './read_back';

const python = process.env.CLEANCLIP_REPORTS_PYTHON || interpreter;
const hasWandb = spawnSync(python, ['-c', 'import wandb.proto']).status === 0;

interface Sent {
  files?: Record<string, { offset: number; content: string[] }>;
  query?: string;
  variables?: Record<string, unknown>;
  complete?: boolean;
  exitcode?: number;
}

/** A stand-in for the server of W&B: it says that every run is new, and keeps what it is sent. */
async function standIn(sent: Sent[], put: string[]): Promise<Server> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const bytes = Buffer.concat(chunks);
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes;
      if (request.method === 'PUT') put.push(request.url!);
      let answer: object = {};
      if (request.method === 'POST' && /graphql|file_stream/.test(request.url!)) {
        const one = JSON.parse(body.toString()) as Sent;
        sent.push(one);
        const { port } = server.address() as AddressInfo;
        answer = one.query === undefined ? {} : { data: answerTo(one, `http://127.0.0.1:${port}`) };
      }
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function answerTo({ query = '', variables = {} }: Sent, address: string): object {
  const project = { id: 'p', name: variables.project, entity: { id: 'e', name: 'somebody' } };
  if (query.includes('upsertBucket'))
    return { upsertBucket: { bucket: { id: 'b', name: variables.name, config: '{}', project }, inserted: true } };
  if (query.includes('createRunFiles')) {
    const files = (variables.files as string[]).map((name) => ({ name, uploadUrl: `${address}/put/${name}` }));
    return { createRunFiles: { runID: 'r', uploadHeaders: [], files } };
  }
  return {};
}

(hasWandb ? test : test.skip)('wandb sync sends the whole run', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cleanclip-sync-'));
  const [sent, put]: [Sent[], string[]] = [[], []];
  const server = await standIn(sent, put);
  try {
    writeFileSync(join(folder, 'params.txt'), 'lr: 0.1\n');
    const reporter = new WeightsAndBiases(folder, { info: () => {}, warning: () => {} });
    reporter.begin({ kind: 'new', history: [], options: { name: 'run', notes: 'a note', lr: 0.1, wandbProject: 'p' } });
    const picture = { png: Buffer.from('a picture'), width: 1, height: 1, caption: 'c' };
    reporter.pictures([{ name: 'clean', pictures: [picture] }], { epoch: 0, step: 0 });
    for (let step = 1; step <= 300; step++) reporter.record({ type: 'train', epoch: 1, step, loss: 1 / step, lr: 0.1 });
    reporter.record({ type: 'evaluation', epoch: 1, step: 300, asr_top1: NaN, loss: Infinity });
    reporter.end('finished');
    const child = spawn(python, ['-m', 'wandb', 'sync', dirname(wandbFile(folder))], {
      cwd: folder, // it leaves a log there
      env: {
        ...process.env,
        HOME: folder,
        WANDB_BASE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        WANDB_API_KEY: 'a'.repeat(40),
      },
      stdio: 'ignore',
    });
    expect(await new Promise((resolve) => child.on('exit', resolve))).toBe(0);

    const lines = sent.flatMap(({ files }) => files?.['wandb-history.jsonl']?.content ?? []);
    expect(lines).toHaveLength(302);
    expect(lines[300]).toMatch(/"train\/loss": ?0\.00333/);
    expect(lines[301]).toMatch(/"evaluation\/asr_top1": ?"?NaN/);
    expect(sent.find(({ complete }) => complete)).toMatchObject({ exitcode: 0 });
    const upsert = sent.find(({ query }) => query?.includes('upsertBucket'))!;
    expect(upsert.variables).toMatchObject({ project: 'p', displayName: 'run', notes: 'a note' });
    expect(JSON.parse(upsert.variables!.config as string)).toMatchObject({ lr: { value: 0.1 } });
    for (const name of ['params.txt', 'media/images/clean_0_0.png', 'config.yaml', 'wandb-summary.json'])
      expect(put).toContain(`/put/${name}`);
  } finally {
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true, force: true });
  }
});
