import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { asWriteError, syncFolder, temporaryName } from './files';

/** How many files are given to the disk at a time: it writes down many at once. */
const TOGETHER = 16;

/**
 * Lets `fill` write files into a temporary folder, which then takes the place of `folder`, once the disk has all of them; if it fails, all stays as it was.
 * @throws CleanclipError `ERR_DATA` when the disk refuses, and whatever `fill` throws
 */
export async function writeFolderWhole(folder: string, fill: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = join(dirname(folder), temporaryName(basename(folder)));
  try {
    mkdirSync(temporary);
    await fill(temporary);
    await syncFiles(temporary);
    rmSync(folder, { recursive: true, force: true });
    renameSync(temporary, folder);
    syncFolder(dirname(folder));
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw asWriteError(folder, error);
  }
}

/** Makes the disk keep the files of a folder, and their names. */
async function syncFiles(folder: string): Promise<void> {
  const names = (await readdir(folder)).values();
  const syncNext = async (): Promise<void> => {
    for (const name of names) {
      const file = await open(join(folder, name), 'r');
      try {
        await file.sync();
      } finally {
        await file.close();
      }
    }
  };
  await Promise.all(Array.from({ length: TOGETHER }, syncNext));
  syncFolder(folder);
}
