import fs, { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { append, removeLeftovers, writeFileWhole, writeWhole } from '../src/files';

describe('files that appear whole', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cleanclip-files-'));
  });
  afterEach(() => {
    jest.restoreAllMocks();
    rmSync(folder, { recursive: true });
  });

  test('keeps the earlier file when writing fails', () => {
    const path = join(folder, 'a.txt');
    writeFileWhole(path, 'before');
    const fail = (): never => {
      throw new Error('disk full');
    };
    expect(() => writeWhole(path, fail)).toThrow('disk full');
    expect(readFileSync(path, 'utf8')).toBe('before');
    expect(readdirSync(folder)).toEqual(['a.txt']);
  });

  test('syncs the folder after the rename, where folders can be opened', () => {
    const path = join(folder, 'a.txt');
    const synced: unknown[] = [];
    const sync = jest
      .spyOn(fs, 'fsyncSync')
      .mockImplementation((fd) => void synced.push([fs.fstatSync(fd).ino, existsSync(path)]));
    writeFileWhole(path, '');
    expect(synced).toEqual([
      [statSync(path).ino, false],
      [statSync(folder).ino, true],
    ]);
    sync.mockImplementation((fd) => {
      if (fs.fstatSync(fd).isDirectory())
        throw Object.assign(new Error('EINVAL: invalid argument, fsync'), { code: 'EINVAL', syscall: 'fsync' });
    });
    writeFileWhole(path, 'again');
    expect(readFileSync(path, 'utf8')).toBe('again');
  });

  test('names the file that the disk refuses', () => {
    const path = join(folder, 'a.txt');
    writeFileWhole(path, '');
    const below = join(path, 'b.txt'); // a file is no folder
    expect(() => writeFileWhole(below, '')).toThrow(`'${below}' cannot be written: `);
    expect(() => append(below, '')).toThrow(`'${below}' cannot be written: not a directory (ENOTDIR).`);
    const full = (): never => {
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' });
    };
    expect(() => writeWhole(path, full)).toThrow(
      expect.objectContaining({
        code: 'ERR_DATA',
        message: `'${path}' cannot be written: no space left on device (ENOSPC).`,
      }),
    );
  });

  test('removes what a killed process left, and nothing else', () => {
    let temporary: string[] = [];
    writeWhole(join(folder, 'step.pt'), () => (temporary = readdirSync(folder)));
    for (const name of [...temporary, '.hidden.tmp', 'notes.123.tmp']) writeFileSync(join(folder, name), '');
    removeLeftovers(folder);
    expect(readdirSync(folder).sort()).toEqual(['.hidden.tmp', 'notes.123.tmp', 'step.pt']);
    removeLeftovers(join(folder, 'none'));
  });
});
