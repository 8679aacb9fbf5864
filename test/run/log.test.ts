import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { CleanclipError } from '../../src/errors';
import type { ProgressEvent } from '../../src/progress';
import { EarlyLines } from '../../src/run/early_lines';
import { RunLog } from '../../src/run/log';
import type { Reporter } from '../../src/run/reporters/reporter';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cleanclip-log-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const record = (step: number): { type: 'train'; epoch: number; step: number } => ({ type: 'train', epoch: 1, step });

describe('RunLog', () => {
  test('writes lines and records, and tells of both', () => {
    const events: unknown[] = [];
    const log = new RunLog(folder, (event) => events.push(event));
    log.start();
    log.info('begun');
    log.warning('careful');
    log.metrics(record(1));
    expect(read('output.log')).toMatch(/^\d{4}-\d\d-\d\d,\d\d:\d\d:\d\d \| INFO \| begun\n.* \| WARNING \| careful\n$/);
    expect(read('metrics.jsonl')).toBe('{"type":"train","epoch":1,"step":1}\n');
    expect(events).toMatchObject([
      { type: 'log' },
      { type: 'log', level: 'WARNING' },
      { type: 'metrics', record: record(1) },
    ]);
  });

  test('takes lines that were reported before it began, in its form', () => {
    const events: ProgressEvent[] = [];
    const onProgress = (event: ProgressEvent): void => void events.push(event);
    const early = new EarlyLines({ onProgress });
    early.hooks.onProgress!({ type: 'log', level: 'INFO', line: 'Reading shards: 1 of 2 MB' });
    early.hooks.onProgress!({ type: 'progress', done: 1, total: 2, text: 'bytes' });
    const log = new RunLog(folder, onProgress);
    log.start();
    early.writeTo(log);
    log.info('begun');
    early.writeTo(log);
    const [first, second] = read('output.log').split('\n');
    expect(first).toMatch(/^\d{4}-.* \| INFO \| Reading shards: 1 of 2 MB$/);
    expect([read('output.log').split('\n').length, second]).toEqual([3, expect.stringMatching(/begun$/)]);
    expect(events).toEqual([
      { type: 'log', level: 'INFO', line: first },
      { type: 'progress', done: 1, total: 2, text: 'bytes' },
      { type: 'log', level: 'INFO', line: second },
    ]);
  });

  test('goes on when a file cannot be written, and says so once', () => {
    const events: unknown[] = [];
    const log = new RunLog(folder, (event) => events.push(event));
    log.start();
    rmSync(join(folder, 'output.log'));
    mkdirSync(join(folder, 'output.log'));
    log.info('lost');
    log.info('lost too');
    log.metrics(record(1));
    const warning = {
      type: 'log',
      level: 'WARNING',
      line: expect.stringMatching(/output\.log' cannot be written: .*EISDIR.* The run goes on/),
    };
    expect(events).toMatchObject([
      warning,
      { line: expect.stringMatching(/lost$/) },
      { line: expect.stringMatching(/lost too$/) },
      { type: 'metrics' },
    ]);
    expect(read('metrics.jsonl')).toBe('{"type":"train","epoch":1,"step":1}\n');
  });

  test('goes on when a reporter fails, says so once, and tells all of them how the job ended', async () => {
    const [told, events]: [unknown[], { line?: string }[]] = [[], []];
    const reporter = (write: (what: string) => void): Reporter => ({
      begin: ({ history }) => told.push(history.length),
      record: ({ step }) => write(`record ${step}`),
      pictures: () => write('pictures'),
      end: (ending) => write(ending),
    });
    const fail = (): never => {
      throw new Error('out of luck');
    };
    const log = new RunLog(folder, (event) => events.push(event as { line?: string }));
    log.start();
    log.report([reporter(fail), reporter((what) => told.push(what))], { kind: 'new', options: {} });
    expect(log.showsPictures).toBe(true);
    await log.during(async () => {
      log.metrics(record(1));
      log.metrics(record(2));
      log.pictures([], record(2));
      return Promise.resolve();
    });
    expect(told).toEqual([0, 0, 'record 1', 'record 2', 'pictures', 'finished']);
    expect(events.filter(({ line }) => line?.includes('WARNING'))).toMatchObject([
      { line: expect.stringMatching(/A report failed: out of luck\. The run goes on; what comes until .* is lost\.$/) },
    ]);
    expect(read('metrics.jsonl').trim().split('\n')).toHaveLength(2);
  });

  test.each([
    ['stopped', new CleanclipError('stop', 'ERR_ABORTED')],
    ['failed', new Error('broken')],
  ])('tells reporters of a job that was %s', async (ending, error) => {
    const end = jest.fn();
    const log = new RunLog(folder);
    log.report([{ begin: () => {}, record: () => {}, end }], { kind: 'new', options: {} });
    await expect(log.during(() => Promise.reject(error))).rejects.toBe(error);
    expect(end.mock.calls).toEqual([[ending]]);
  });

  test('drops what comes after the step it resumes from, and a line that a kill cut off', () => {
    const first = new RunLog(folder, () => {});
    first.start();
    const beside = { ...record(9), checkpoint: 'of another run' };
    [record(1), record(2), record(3), beside].forEach((one) => first.metrics(one));
    appendFileSync(join(folder, 'metrics.jsonl'), 'null\n5\n{}\n[]\n"a"\n{"epoch":null,"step":1}\n{"type":"train","ep');
    const second = new RunLog(folder, () => {});
    second.resume({ epoch: 0, batch: 2, step: 2 });
    second.metrics(record(3));
    const all = [record(1), record(2), beside, record(3)];
    expect(
      read('metrics.jsonl')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(all);
    expect(second.history).toEqual(all);
  });

  test('says so when a folder has taken the place of the records', () => {
    mkdirSync(join(folder, 'metrics.jsonl'));
    expect(() => new RunLog(folder).resume({ epoch: 0, batch: 2, step: 2 })).toThrow(
      expect.objectContaining({
        code: 'ERR_DATA',
        message: expect.stringMatching(/^Expected the records .* in '.*metrics\.jsonl', but it is a folder/),
      }),
    );
  });

  test('writes every option to params.txt, sorted, in the spelling of the flags', () => {
    new RunLog(folder, () => {}).params({ numWorkers: 2, batchSize: 64, trainData: undefined });
    expect(read('params.txt')).toBe('batch_size: 64\nnum_workers: 2\ntrain_data: None\n');
  });
});
