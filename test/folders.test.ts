import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { refuseExisting, writeFolderWhole } from '../src/folders';

const root = mkdtempSync(join(tmpdir(), 'cleanclip-folder-'));
afterAll(() => rmSync(root, { recursive: true }));
afterEach(() => readdirSync(root).forEach((name) => rmSync(join(root, name), { recursive: true })));

const fill = async (temporary: string): Promise<void> => writeFileSync(join(temporary, 'a'), 'content');

test('makes a folder with what was written, and folders above it', async () => {
  const path = join(root, 'deep', 'folder');
  await writeFolderWhole(path, async (temporary) => {
    await fill(temporary);
    expect(existsSync(path)).toBe(false);
  });
  expect(readFileSync(join(path, 'a'), 'utf8')).toBe('content');
  expect(readdirSync(join(root, 'deep'))).toEqual(['folder']);
});

test('leaves nothing when filling fails', async () => {
  const failing = writeFolderWhole(join(root, 'folder'), async (temporary) => {
    await fill(temporary);
    throw new Error('half-way');
  });
  await expect(failing).rejects.toThrow('half-way');
  expect(readdirSync(root)).toEqual([]);
});

test('writes over nothing, also what came meanwhile', async () => {
  const path = join(root, 'folder');
  const meanwhile = writeFolderWhole(path, async (temporary) => {
    await fill(temporary);
    writeFileSync(path, 'theirs');
  });
  await expect(meanwhile).rejects.toMatchObject({ code: 'ERR_OPTION' });
  await expect(writeFolderWhole(path, fill)).rejects.toMatchObject({ code: 'ERR_OPTION' });
  expect([readdirSync(root), readFileSync(path, 'utf8')]).toEqual([['folder'], 'theirs']);
});

test('takes a link to nothing for something', () => {
  symlinkSync('nowhere', join(root, 'link'));
  expect(() => refuseExisting(join(root, 'link'))).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
});
