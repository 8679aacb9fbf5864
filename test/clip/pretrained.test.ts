import childProcess, { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import os, { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { download } from '../../src/clip/download';
import { loadClip } from '../../src/clip/model';
import { pretrainedFile, releases } from '../../src/clip/pretrained';
import { runEvaluation } from '../../src/evaluation/evaluate';
import { evaluate, train } from '../../src/jobs';
import { resolve } from '../../src/options/define';
import type { TrainInput } from '../../src/options/inputs.gen';
import { trainOptions } from '../../src/options/train';
import type { ProgressEvent } from '../../src/progress';
import { torch } from '../../src/torch';
import { runTraining } from '../../src/training/train';
import { drawShapes, miniModel } from '../support/pairs';
import { serveWeights } from '../support/weights_server';

// OpenAI's own files are too large for a test: a small model takes the place of RN50's, with its checksum in the table.
let folder: string;
let shapes: string;
let content: Buffer;
let refusing: string;
let server: Awaited<ReturnType<typeof serveWeights>>;
const environment = { ...process.env };
const released = { ...releases.RN50 };
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

beforeAll(async () => {
  shapes = await drawShapes(2);
  const file = join(shapes, 'weights.safetensors');
  using clip = loadClip(miniModel, { seed: 4 });
  torch.save(clip.stateDict(), file);
  content = readFileSync(file);
  server = await serveWeights(content);
  const gone = await serveWeights(content);
  refusing = gone.url;
  await gone.close();
});
afterAll(async () => {
  await server.close();
  rmSync(shapes, { recursive: true });
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cleanclip-pretrained-'));
  process.env.CLEANCLIP_CACHE = join(folder, 'cache');
  jest.spyOn(os, 'homedir').mockReturnValue(join(folder, 'home'));
  process.env.CLEANCLIP_WEIGHTS_URL = server.url;
  Object.assign(releases.RN50, { sha256: sha256(content) });
  Object.assign(server, { answer: 'whole' });
  server.requests.length = 0;
});
afterEach(() => {
  jest.restoreAllMocks();
  process.env = { ...environment };
  Object.assign(releases.RN50, released);
  rmSync(folder, { recursive: true });
});

const cached = (): string => join(folder, 'cache', 'clip', 'RN50.pt');
const left = (): string[] =>
  existsSync(join(folder, 'cache', 'clip')) ? readdirSync(join(folder, 'cache', 'clip')) : [];

test('the addresses are those of OpenAI: a SHA-256 and a file for each model', () => {
  for (const [name, { file, sha256: digits }] of Object.entries({ ...releases, RN50: released })) {
    expect(file).toBe(`${name.replace('/', '-')}.pt`);
    expect(digits).toMatch(/^[0-9a-f]{64}$/);
  }
});

test('a file is downloaded once, with progress, and its SHA-256 is a part of the address', async () => {
  const progress: [number, number][] = [];
  expect(await pretrainedFile('RN50', (done, total) => progress.push([done, total]))).toBe(cached());
  expect(readFileSync(cached()).equals(content)).toBe(true);
  expect(progress.at(-1)).toEqual([content.length, content.length]);
  expect(server.requests).toEqual([`/models/${sha256(content)}/RN50.pt`]);
  expect(await pretrainedFile('RN50')).toBe(cached());
  expect(server.requests).toHaveLength(1);
  expect(left()).toEqual(['RN50.pt']);
});

test("a file of Python's cache is used as it is", async () => {
  const python = join(folder, 'home', '.cache', 'clip', 'RN50.pt');
  mkdirSync(join(python, '..'), { recursive: true });
  writeFileSync(python, content);
  expect(await pretrainedFile('RN50')).toBe(python);
  expect(server.requests).toEqual([]);
});

test('a file of other bytes in the cache is named, not used and not removed', async () => {
  mkdirSync(join(cached(), '..'), { recursive: true });
  writeFileSync(cached(), 'half a file');
  await expect(pretrainedFile('RN50')).rejects.toMatchObject({
    code: 'ERR_CHECKPOINT',
    message:
      `${cached()} is not the file that OpenAI released: its SHA-256 differs; delete it, or load it with ` +
      '--checkpoint.',
  });
  expect(readFileSync(cached(), 'utf8')).toBe('half a file');
});

test.each([
  ['not found', /the server answered 404 Not Found;/],
  ['cut', /could not be downloaded.*: (the connection ended|other side closed|terminated|aborted)/],
  ['other bytes', /the \d+ bytes that came do not have the SHA-256 [0-9a-f]{64};/],
] as const)('%s: one sentence that says where to put the file, and nothing is left', async (answer, reason) => {
  server.answer = answer;
  const failed = pretrainedFile('RN50');
  await expect(failed).rejects.toMatchObject({ code: 'ERR_CHECKPOINT', message: expect.stringMatching(reason) });
  await expect(failed).rejects.toThrow(`try again, or put the file at ${cached()}.`);
  expect(left()).toEqual([]);
});

test.each([
  ['gzip', {}, /the server sent it encoded as gzip, which was not asked for;/],
  ['whole', { size: 5 }, /the server has \d+ bytes, and it should be 5;/],
  ['endless', { size: 3e6 }, /the server sent more than the 3000000 bytes that it should be;/],
  ['trickle', { seconds: 0.3 }, /it was not there after 0\.3 seconds;/],
  ['silent', { silentSeconds: 0.3 }, /the server sent nothing for 0\.3 seconds;/],
  ['silent', { seconds: 0.3 }, /it was not there after 0\.3 seconds;/],
] as const)('%s with %p: a download has limits', async (answer, limits, reason) => {
  server.answer = answer;
  const failed = download({ url: server.url, path: cached(), sha256: sha256(content), what: 'The file', ...limits });
  await expect(failed).rejects.toMatchObject({ code: 'ERR_CHECKPOINT', message: expect.stringMatching(reason) });
  expect(left()).toEqual([]);
});

test('a user without a home folder has no cache of Python, and may name one for this library', async () => {
  jest.spyOn(os, 'homedir').mockImplementation(() => {
    throw new Error('uv_os_homedir returned ENOENT');
  });
  expect(await pretrainedFile('RN50')).toBe(cached());
  process.env.CLEANCLIP_CACHE = process.env.XDG_CACHE_HOME = '';
  await expect(pretrainedFile('RN50')).rejects.toThrow('This user has no home folder for the cache');
});

test.each([
  ['connection refused', () => refusing, /ECONNREFUSED/],
  ['no address', () => 'nonsense', /Invalid URL|Failed to parse URL/],
])('%s: one sentence that says where to put the file', async (_, url, reason) => {
  process.env.CLEANCLIP_WEIGHTS_URL = url();
  const failed = pretrainedFile('RN50');
  await expect(failed).rejects.toMatchObject({ code: 'ERR_CHECKPOINT', message: expect.stringMatching(reason) });
  await expect(failed).rejects.toThrow(`put the file at ${cached()}.`);
});

test('a cache that cannot be written: one sentence', async () => {
  writeFileSync(join(folder, 'cache'), 'a file where the folder should be');
  await expect(pretrainedFile('RN50')).rejects.toThrow(/cannot be written: .*(EEXIST|ENOTDIR)/);
});

test('a download is stopped by its signal, and leaves nothing', async () => {
  const abort = new AbortController();
  server.answer = 'cut';
  await expect(pretrainedFile('RN50', () => abort.abort(), abort.signal)).rejects.toMatchObject({
    code: 'ERR_ABORTED',
  });
  expect(left()).toEqual([]);
});

test('what a killed download left is removed after an hour', async () => {
  mkdirSync(join(cached(), '..'), { recursive: true });
  const [old, recent] = ['.RN50.pt.1.00000000.tmp', '.RN50.pt.1.11111111.tmp'].map((name) =>
    join(cached(), '..', name),
  );
  for (const path of [old, recent]) writeFileSync(path, '');
  utimesSync(old, Date.now() / 1000 - 7200, Date.now() / 1000 - 7200);
  await pretrainedFile('RN50');
  expect(left().sort()).toEqual(['.RN50.pt.1.11111111.tmp', 'RN50.pt']);
});

const options = (given: TrainInput): Parameters<typeof runTraining>[0] =>
  resolve(trainOptions, { logs: join(folder, 'logs'), name: 'x', pretrained: true, numWorkers: 0, ...given });

describe('jobs', () => {
  test('evaluate and train start from the weights, with progress', async () => {
    const events: ProgressEvent[] = [];
    const validationData = join(shapes, 'train.csv');
    const { metrics } = await runEvaluation(options({ validationData, batchSize: 24 }), {
      onProgress: (event) => events.push(event),
    });
    expect(events).toContainEqual({
      type: 'progress',
      done: content.length,
      total: content.length,
      text: "bytes of OpenAI's RN50",
    });
    using clip = loadClip(cached());
    expect(clip.config).toMatchObject({ ...miniModel, textHeads: 1 });
    expect(metrics.loss).toBeGreaterThan(0);
    const { checkpoint } = await runTraining(
      options({ trainData: validationData, batchSize: 24, epochs: 1, lr: 0, weightDecay: 0 }),
      {},
    );
    using trained = loadClip(checkpoint);
    expect(trained.stateDict()['visual.conv1.weight'].toArray()).toEqual(
      clip.stateDict()['visual.conv1.weight'].toArray(),
    );
  });

  test('nothing is downloaded when an option or the data are wrong', async () => {
    const validationData = join(shapes, 'train.csv');
    const given = { logs: join(folder, 'logs'), name: 'wrong', pretrained: true };
    const both = { ...given, checkpoint: join(shapes, 'weights.safetensors') };
    await expect(evaluate({ ...both, validationData })).rejects.toMatchObject({
      code: 'ERR_OPTION',
      message: expect.stringMatching(/--pretrained.*--checkpoint.*give one/),
    });
    await expect(evaluate({ ...given, validationData, modelName: 'tiny' })).rejects.toThrow(
      /no weights of 'tiny', only of RN50, RN101/,
    );
    await expect(runTraining(options({ trainData: join(shapes, 'none.csv') }), {})).rejects.toThrow(/none\.csv/);
    await expect(train({ ...both, trainData: validationData })).rejects.toThrow(/give one/);
    expect(server.requests).toEqual([]);
  });
});

describe('loadClip', () => {
  test('pretrained: a path, whose weights must fit the named model', () => {
    const path = join(shapes, 'weights.safetensors');
    using clip = loadClip(miniModel, { pretrained: path });
    using inferred = loadClip(path);
    expect(clip.stateDict().text_projection.toArray()).toEqual(inferred.stateDict().text_projection.toArray());
    expect(() => loadClip('RN50', { pretrained: path })).toThrow(
      /^By RN50 the model's embedDim is 1024, but '.*' has weights for 32;/,
    );
    expect(() => loadClip('RN50', { pretrained: join(shapes, 'none.pt') })).toThrow(/no file/);
    expect(() => loadClip('tiny', { pretrained: true })).toThrow(/no weights of 'tiny'/);
    expect(() => loadClip(miniModel, { pretrained: true })).toThrow(/needs the name/);
    expect(() => loadClip(path, { pretrained: true })).toThrow(/leave it out to load a file/);
  });

  test('pretrained: true takes the path that another process prints', async () => {
    const script = `const path = require('node:path').resolve('dist/clip');
      require(path + '/pretrained').releases.RN50.sha256 = '${sha256(content)}';
      require(path + '/pretrained_process');`;
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', script, 'script', 'RN50'], {
      env: process.env,
      cwd: join(__dirname, '../..'),
    });
    expect(stdout).toBe(cached());
    const spawned = jest.spyOn(childProcess, 'spawnSync').mockReturnValue({ status: 0, stdout, stderr: '' } as never);
    expect(() => loadClip('RN50', { pretrained: true })).toThrow(
      /By RN50 the model's embedDim is 1024, but '.*' has weights for 32;/,
    ); // the small model is no RN50
    expect(spawned).toHaveBeenCalledWith(
      process.execPath,
      [expect.stringMatching(/pretrained_process\.js$/), 'RN50'],
      expect.anything(),
    );
  });

  test('pretrained: true names in one sentence what another process could not do', () => {
    process.env.CLEANCLIP_WEIGHTS_URL = refusing;
    expect(() => loadClip('RN50', { pretrained: true })).toThrow(
      expect.objectContaining({
        code: 'ERR_CHECKPOINT',
        message: expect.stringMatching(
          /^OpenAI's weights of RN50 could not be downloaded.*ECONNREFUSED.*put the file at .*RN50\.pt\.$/,
        ),
      }),
    );
  });
});
