import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { CleanclipError } from '../../../src/errors';
import { type Tensor, torch } from '../../../src/torch';
import type { LoadOptions } from '../../../src/torch/serialization';

const folder = mkdtempSync(join(tmpdir(), 'cleanclip-storage-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string): string => join(folder, name);

const refusal = (act: () => unknown): CleanclipError => {
  try {
    act();
  } catch (error) {
    return error as CleanclipError;
  }
  throw new Error('It was not refused.');
};

const kinds: { kind: string; options: LoadOptions }[] = [
  { kind: 'read', options: {} },
  { kind: 'mapped', options: { mmap: true } },
];

describe.each(kinds)('the storage of a tensor of a file that is $kind', ({ options }) => {
  const path = file('views.pt');
  let loaded: Record<string, Tensor>;
  beforeAll(() => {
    const base = torch.arange(12).to({ dtype: 'float32' }).reshape([3, 4]);
    const parts = {
      whole: base,
      row: base.slice(0, 1, 2),
      column: base.slice(1, 3, 4),
      turned: base.t(),
      other: torch.full([2], 7),
      third: torch.full([3], 9, { dtype: 'int64' }),
    };
    torch.save(parts, path);
    loaded = torch.load(path, options) as Record<string, Tensor>;
  });

  // The values that Python's torch.load gives of such a file.
  test("offsets, strides and the storage's size are Python's", () => {
    const facts = Object.entries(loaded).map(([name, tensor]) => [
      name,
      tensor.storage_offset(),
      tensor.strides,
      tensor.shape,
    ]);
    expect(facts).toEqual([
      ['whole', 0, [4, 1], [3, 4]],
      ['row', 4, [4, 1], [1, 4]],
      ['column', 3, [4, 1], [3, 1]],
      ['turned', 0, [1, 4], [4, 3]],
      ['other', 0, [1], [2]],
      ['third', 0, [1], [3]],
    ]);
  });

  test('nothing outside of the record can be reached', () => {
    expect(loaded.other.as_strided([2], [1], 0).toArray()).toEqual([7, 7]);
    for (const [name, elements] of [
      ['other', 2],
      ['third', 3],
      ['whole', 12],
      ['row', 12],
    ] as const) {
      expect(loaded[name].as_strided([elements], [1], 0).shape).toEqual([elements]);
      expect(refusal(() => loaded[name].as_strided([elements + 1], [1], 0)).message).toContain('out of bounds');
      expect(refusal(() => loaded[name].as_strided([1], [1], elements)).code).toBe('ERR_TORCH');
    }
  });

  test('tensors of one record share it', () => {
    const { whole, row, column, turned, other } = torch.load(path, options) as Record<string, Tensor>;
    expect(new Set([whole, row, column, turned].map((tensor) => tensor.storageKey)).size).toBe(1);
    expect(other.storageKey).not.toBe(whole.storageKey);
    torch.noGrad(() => row.fill_(-1));
    expect(whole.toArray()).toEqual([
      [0, 1, 2, 3],
      [-1, -1, -1, -1],
      [8, 9, 10, 11],
    ]);
    expect(turned.toArray()).toEqual([
      [0, -1, 8],
      [1, -1, 9],
      [2, -1, 10],
      [3, -1, 11],
    ]);
    expect(other.toArray()).toEqual([7, 7]);
    expect((torch.load(path, options) as Record<string, Tensor>).row.toArray()).toEqual([[4, 5, 6, 7]]);
  });

  test('what scatters into a copy of the storage works', () => {
    const { whole, other } = loaded;
    expect(whole.select_scatter(torch.zeros([4]), 0, 1).toArray()).toEqual([
      [0, 1, 2, 3],
      [0, 0, 0, 0],
      [8, 9, 10, 11],
    ]);
    expect(whole.slice_scatter(torch.zeros([3, 1]), 1, 0, 1).toArray()).toEqual([
      [0, 1, 2, 3],
      [0, 5, 6, 7],
      [0, 9, 10, 11],
    ]);
    expect(whole.diagonal_scatter(torch.zeros([3])).toArray()).toEqual([
      [0, 1, 2, 3],
      [4, 0, 6, 7],
      [8, 9, 0, 11],
    ]);
    expect(other.as_strided_scatter(torch.zeros([1]), [1], [1], 1).toArray()).toEqual([7, 0]);
    expect(other.clone().resize_([4]).shape).toEqual([4]);
    const growing = (torch.load(path, options) as Record<string, Tensor>).other;
    expect(growing.resize_([100]).slice(0, 0, 2).toArray()).toEqual([7, 7]);
  });

  test('of a safetensors file', () => {
    torch.save({ a: torch.full([2], 7), b: torch.full([3], 9), empty: torch.empty([0]) }, file('parts.safetensors'));
    const { a, b, empty } = torch.load(file('parts.safetensors'), options) as Record<string, Tensor>;
    expect([a, b, empty].map((tensor) => tensor.storage_offset())).toEqual([0, 0, 0]);
    expect(a.as_strided([2], [1], 0).toArray()).toEqual([7, 7]);
    expect(refusal(() => a.as_strided([3], [1], 0)).code).toBe('ERR_TORCH');
    expect(refusal(() => b.as_strided([4], [1], 0)).code).toBe('ERR_TORCH');
    expect(empty.shape).toEqual([0]);
  });

  test('outlives a file that is replaced', () => {
    copyFileSync(path, file('replaced.pt'));
    const { whole } = torch.load(file('replaced.pt'), options) as Record<string, Tensor>;
    writeFileSync(file('new'), Buffer.alloc(10));
    renameSync(file('new'), file('replaced.pt'));
    expect(whole.sum().item()).toBe(66);
  });
});

describe('a file that changes', () => {
  test('in place after it was read, is of no account', () => {
    const path = file('changed.pt');
    torch.save({ ones: torch.ones([100_000]) }, path);
    const { ones } = torch.load(path) as Record<string, Tensor>;
    writeFileSync(path, Buffer.alloc(statSync(path).size, 3));
    truncateSync(path, 10);
    expect(ones.sum().item()).toBe(100_000);
  });

  test.each(['pt', 'safetensors'])('between its directory and its data is refused (.%s)', (kind) => {
    const path = file(`cut.${kind}`);
    torch.save({ ones: torch.ones([500_000]) }, path);
    // Opens the file, and cuts it or writes to it before the data are read.
    const script = `
      const { CleanclipError } = require('./dist/errors');
      const { addon } = require('./dist/torch/addon');
      const { torch } = require('.');
      const fs = require('node:fs');
      const { readTensors } = addon();
      const path = process.argv[1], whole = fs.readFileSync(path);
      const during = {
        cut: () => fs.truncateSync(path, 4096),
        rewritten: () => { fs.writeFileSync(path, whole); fs.utimesSync(path, 1, 1); },
      };
      for (const [name, act] of Object.entries(during)) {
        addon().readTensors = (...values) => { act(); return readTensors(...values); };
        try {
          torch.load(path);
          console.log(name, 'read');
        } catch (error) {
          console.log(name, error.code, error.message.replace(path, 'F'));
        }
        fs.writeFileSync(path, whole);
      }`;
    expect(execFileSync(process.execPath, ['-e', script, path], { encoding: 'utf8' }).split('\n')).toEqual([
      'cut ERR_CHECKPOINT The checkpoint F was cut short while it was read; load it again.',
      'rewritten ERR_CHECKPOINT The checkpoint F was changed while it was read; load it again.',
      '',
    ]);
  });
});

test('records that lie on one another are refused', () => {
  const path = file('overlap.pt');
  const count = 20;
  torch.save(Object.fromEntries(Array.from({ length: count }, (_, i) => [`t${i}`, torch.ones([5000])])), path);
  const bytes = readFileSync(path);
  const directory = bytes.indexOf('PK\x01\x02', 0, 'latin1');
  // The directory gives nine of the records twenty times their size.
  for (let at = directory; at < bytes.length - 100;) {
    const name = bytes.toString('latin1', at + 46, at + 46 + bytes.readUInt16LE(at + 28));
    for (const field of [20, 24])
      if (/data\/[1-9]$/.test(name)) bytes.writeUInt32LE(bytes.readUInt32LE(at + field) * 10, at + field);
    at += 46 + bytes.readUInt16LE(at + 28) + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
    if (bytes.readUInt32LE(at) !== 0x02014b50) break;
  }
  writeFileSync(path, bytes);
  expect(refusal(() => torch.load(path))).toMatchObject({
    code: 'ERR_CHECKPOINT',
    message: expect.stringMatching(/more bytes together|past the end/),
  });
});

test('options are checked', () => {
  const path = file('options.pt');
  torch.save([1], path);
  expect(torch.load(path, { maxBytes: statSync(path).size })).toEqual([1]);
  expect(refusal(() => torch.load(path, { maxBytes: statSync(path).size - 1 }))).toMatchObject({
    code: 'ERR_CHECKPOINT',
    message: expect.stringContaining('larger than'),
  });
  expect(refusal(() => torch.load(path, { maxBytes: -1 })).code).toBe('ERR_OPTION');
  expect(refusal(() => torch.load(path, { mmap: 1 as never })).code).toBe('ERR_OPTION');
  expect(refusal(() => torch.load(5 as never)).code).toBe('ERR_OPTION');
});

test('a FIFO and a device are refused at once', () => {
  execFileSync('mkfifo', [file('fifo.pt')]);
  expect(refusal(() => torch.load(file('fifo.pt')))).toMatchObject({
    code: 'ERR_CHECKPOINT',
    message: expect.stringContaining('a FIFO'),
  });
  expect(refusal(() => torch.load('/dev/zero'))).toMatchObject({
    code: 'ERR_CHECKPOINT',
    message: expect.stringContaining('a device'),
  });
});
