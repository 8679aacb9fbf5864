import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { GrowingFile } from '../../../src/run/reporters/growing_file';
import { crc32c, frame, masked } from '../../../src/run/reporters/tfrecord';
import { frameRecord, HEADER, readRecords } from '../../../src/run/reporters/wandb_log';

const bytes = (count: number, value: (i: number) => number): Uint8Array =>
  Uint8Array.from({ length: count }, (_, i) => value(i));

describe('the records of TensorBoard', () => {
  test('have the checksums of RFC 3720, appendix B.4', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
    expect(crc32c(bytes(32, () => 0))).toBe(0x8a9136aa);
    expect(crc32c(bytes(32, () => 0xff))).toBe(0x62a8ab43);
    expect(crc32c(bytes(32, (i) => i))).toBe(0x46dd794e);
    expect(crc32c(bytes(32, (i) => 31 - i))).toBe(0x113fdb5c);
    expect(crc32c(new Uint8Array(0))).toBe(0);
  });

  test('have masked checksums, as the first record of every event file of 24 bytes has', () => {
    const framed = Buffer.from(frame(new Uint8Array(24)));
    expect(framed.subarray(0, 12).toString('hex')).toBe('1800000000000000a37f4b22');
    expect(framed).toHaveLength(40);
    expect(framed.readUInt32LE(36)).toBe(masked(crc32c(new Uint8Array(24))));
    expect(masked(0)).toBe(0xa282ead8);
  });
});

describe('the records of W&B', () => {
  /** A file of records, as cleanclip writes it. */
  function fileOf(records: Uint8Array[]): Buffer {
    let file = HEADER;
    for (const record of records) file = Buffer.concat([file, frameRecord(record, file.length)]);
    return file;
  }
  const sizes = [0, 1, 100, 32754, 32761, 5, 32768, 70_000, 32747, 3, 200_000];
  const records = sizes.map((size, n) => bytes(size, (i) => i + n));

  test('have the bytes that the Python package gives', () => {
    // wandb.sdk.internal.datastore.DataStore of wandb 0.22.3 wrote this
    expect(fileOf([Buffer.from('hello')]).toString('hex')).toBe('3a572642e1be009d23ac8a05000168656c6c6f');
  });

  test('are cut at the ends of blocks, and read back whole', () => {
    const read = readRecords(fileOf(records));
    expect(read.map(({ length }) => length)).toEqual(sizes);
    expect(read.every((one, i) => Buffer.compare(one, records[i]) === 0)).toBe(true);
  });

  test('are read up to the first that is cut off or damaged', () => {
    const file = fileOf(records);
    const whole = fileOf(records.slice(0, 7)).length;
    for (const cut of [1, 6, 7, 100, 40_000]) expect(readRecords(file.subarray(0, whole + cut))).toHaveLength(7);
    file[whole + 20] ^= 1;
    expect(readRecords(file)).toHaveLength(7);
    expect(readRecords(Buffer.from('something else'))).toEqual([]);
    expect(readRecords(HEADER.subarray(0, 3))).toEqual([]);
  });
});

describe('GrowingFile', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cleanclip-growing-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('goes on at the end of a file', () => {
    const path = join(folder, 'a', 'b');
    for (const piece of ['one ', 'two']) {
      const file = GrowingFile.open(path);
      file.append(Buffer.from(piece));
      file.close();
    }
    expect(readFileSync(path, 'utf8')).toBe('one two');
  });

  test('leaves nothing of a piece that the disk refuses, and says so', () => {
    const path = join(folder, 'full');
    const built = join(__dirname, '../../../dist/run/reporters/growing_file.js');
    const program = `
      const { GrowingFile } = require(${JSON.stringify(built)});
      const file = GrowingFile.open(${JSON.stringify(path)});
      for (const size of [3072, 3072, 3072, 1024]) {
        try { file.append(Buffer.alloc(size, 1)); } catch (error) { console.log(error.code, error.message); }
      }`;
    const { stdout } = spawnSync('bash', ['-c', `trap '' XFSZ; ulimit -f 8; exec node -e "$0"`, program], {
      encoding: 'utf8',
    });
    expect(stdout).toMatch(/^ERR_DATA '.*full' cannot be written: file too large \(EFBIG\)\.\n$/);
    expect(readFileSync(path)).toHaveLength(7168);
  });

  test('says what is in the way', () => {
    expect(() => GrowingFile.open(folder)).toThrow(/^'.*' cannot be written: .*\(EISDIR\)\.$/);
  });
});
