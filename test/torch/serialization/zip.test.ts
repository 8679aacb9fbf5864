import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

import fc from 'fast-check';

import { Fault } from '../../../src/torch/serialization/fault';
import { FileBytes } from '../../../src/torch/serialization/file_bytes';
import { ZipReader } from '../../../src/torch/serialization/zip/reader';
import { ZipWriter } from '../../../src/torch/serialization/zip/writer';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'cleanclip-zip-'))));
afterAll(() => rmSync(folder, { recursive: true }));

const zipOf = (records: readonly (readonly [string, Uint8Array])[]): Buffer => {
  const parts: Uint8Array[] = [];
  const zip = new ZipWriter((bytes) => parts.push(Uint8Array.from(bytes)));
  for (const [name, bytes] of records) zip.add(name, bytes);
  zip.finish();
  return Buffer.concat(parts);
};

const withReader = <T>(content: Uint8Array, use: (zip: ZipReader) => T): T => {
  const path = join(folder, 'file.zip');
  writeFileSync(path, content);
  const fd = openSync(path, 'r');
  try {
    return use(new ZipReader(new FileBytes(fd, content.length)));
  } finally {
    closeSync(fd);
  }
};

test('records come back as they were written, each at a multiple of 64 bytes', () => {
  const record = fc.tuple(
    fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' }),
    fc.uint8Array({ maxLength: 300 }),
  );
  fc.assert(
    fc.property(fc.uniqueArray(record, { selector: ([name]) => name, maxLength: 12 }), (records) => {
      withReader(zipOf(records), (zip) => {
        expect(zip.names).toEqual(records.map(([name]) => name));
        for (const [name, bytes] of records) {
          expect(zip.locate(name)).toEqual({ offset: expect.any(Number), size: bytes.length });
          expect(zip.locate(name).offset % 64).toBe(0);
          expect(Uint8Array.from(zip.read(name))).toEqual(bytes);
        }
      });
    }),
    { numRuns: 60 },
  );
});

test('records behind 4 GiB are found by their 64-bit offsets', () => {
  const path = join(folder, 'large.zip');
  const fd = openSync(path, 'w+');
  const start = 2 ** 32 + 12345; // a sparse file: nothing is stored before
  const zip = new ZipWriter((bytes, position) => writeSync(fd, bytes, 0, bytes.length, position), start);
  zip.add('a', Buffer.from('hello'));
  zip.add('empty', new Uint8Array(0));
  zip.finish();
  const reader = new ZipReader(new FileBytes(fd, statSync(path).size));
  expect(reader.locate('a').offset).toBeGreaterThan(2 ** 32);
  expect(reader.locate('a').offset % 64).toBe(0);
  expect(reader.read('a').toString()).toBe('hello');
  expect(reader.read('empty')).toHaveLength(0);
  closeSync(fd);
  rmSync(path);
});

test('a record of more than 4 GiB keeps its size', () => {
  const path = join(folder, 'large.zip');
  const fd = openSync(path, 'w+');
  const size = 2 ** 32 + 3;
  const zip = new ZipWriter((bytes, position) => writeSync(fd, bytes, 0, bytes.length, position));
  zip.addWritten([{ name: 'zeros', size }], () => [0]); // they stay a hole
  zip.add('b', Buffer.from('b'));
  zip.finish();
  const reader = new ZipReader(new FileBytes(fd, statSync(path).size));
  expect(reader.locate('zeros')).toEqual({ offset: 64, size });
  expect(reader.read('b').toString()).toBe('b');
  closeSync(fd);
  rmSync(path);
});

test('records that are written together keep their places, whichever is written first', () => {
  const path = join(folder, 'file.zip');
  const fd = openSync(path, 'w+');
  const put = (bytes: Uint8Array, position: number): number => writeSync(fd, bytes, 0, bytes.length, position);
  const contents = ['first', '', 'the third'].map((text) => Buffer.from(text));
  const zip = new ZipWriter(put);
  zip.addWritten(
    contents.map(({ length: size }, i) => ({ name: `data/${i}`, size })),
    (positions) => {
      for (const i of [2, 1, 0]) put(contents[i], positions[i]);
      return contents.map((bytes) => crc32(bytes));
    },
  );
  zip.add('last', Buffer.from('end'));
  zip.finish();
  const whole = readFileSync(path);
  closeSync(fd);
  expect(
    whole.equals(zipOf([...contents.map((bytes, i) => [`data/${i}`, bytes] as const), ['last', Buffer.from('end')]])),
  ).toBe(true);
});

test('a file that is cut anywhere is refused', () => {
  const whole = zipOf([
    ['x/data.pkl', Buffer.from('abc')],
    ['x/data/0', new Uint8Array(10)],
  ]);
  for (let size = 0; size < whole.length; size++)
    expect(() => withReader(whole.subarray(0, size), () => undefined)).toThrow(Fault);
});

test('flipped bits give a Fault or a directory within the file', () => {
  const whole = zipOf([
    ['x/data.pkl', Buffer.from('abc')],
    ['x/data/0', new Uint8Array(10)],
  ]);
  for (let bit = 0; bit < 8 * whole.length; bit += 3) {
    const flipped = Buffer.from(whole);
    flipped[bit >> 3] ^= 1 << (bit & 7);
    try {
      withReader(flipped, (zip) => {
        for (const name of zip.names) {
          const { offset, size } = zip.locate(name);
          expect(offset + size).toBeLessThanOrEqual(whole.length);
          zip.read(name);
        }
      });
    } catch (error) {
      expect(error).toBeInstanceOf(Fault);
    }
  }
});

test('compressed, encrypted, duplicate and missing records have a sentence each', () => {
  const whole = zipOf([
    ['a', Buffer.from('abc')],
    ['b', Buffer.from('def')],
  ]);
  const directory = whole.indexOf('PK\x01\x02');
  const changed = (change: (bytes: Buffer) => void): Buffer => {
    const bytes = Buffer.from(whole);
    change(bytes);
    return bytes;
  };
  expect(() =>
    withReader(
      changed((bytes) => bytes.writeUInt16LE(8, directory + 10)),
      (zip) => zip.read('a'),
    ),
  ).toThrow(/compressed record a/);
  expect(() =>
    withReader(
      changed((bytes) => bytes.writeUInt16LE(1, directory + 8)),
      (zip) => zip.read('a'),
    ),
  ).toThrow(/encrypted record a/);
  expect(() =>
    withReader(
      changed((bytes) => bytes.write('b', directory + 46)),
      () => undefined,
    ),
  ).toThrow(/record b twice/);
  expect(() => withReader(whole, (zip) => zip.locate('c'))).toThrow(/record c is missing/);
});

test('a changed byte of a record is noticed; a checksum of 0 means that there is none', () => {
  const whole = zipOf([['a', Buffer.from('abc')]]);
  whole[64] ^= 1;
  expect(() => withReader(whole, (zip) => zip.read('a'))).toThrow(/checksum/);
  whole.writeUInt32LE(0, whole.indexOf('PK\x01\x02') + 16);
  expect(withReader(whole, (zip) => zip.read('a')).toString()).toBe('`bc');
});

test('the file that is read stays as it is', () => {
  const whole = zipOf([['a', Buffer.from('abc')]]);
  withReader(whole, (zip) => zip.read('a'));
  expect(readFileSync(join(folder, 'file.zip')).equals(whole)).toBe(true);
});
