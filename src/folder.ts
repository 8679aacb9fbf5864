import { existsSync, lstatSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

import { optionError } from './errors';
import { asWriteError, syncFolder, temporaryName } from './files';

/** How many files are given to the disk at a time: it writes down many at once. */
const TOGETHER = 16;

/**
 * Makes a folder that appears whole or not at all: `fill` writes files into a temporary folder beside it, which gets its name once the disk has all
 * of them; if that fails, all stays as it was. Folders above it are made if need be.
 * @param fill gets the path of the temporary folder
 * @param options.replace take the place of what is there; default false
 * @throws CleanclipError `ERR_OPTION` when there is something of that name; `ERR_DATA` when the disk refuses; and whatever `fill` throws
 */
export async function writeFolderWhole(path: string, fill: (temporary: string) => Promise<void>, { replace = false } = {}): Promise<void> {
  if (!replace) refuseExisting(path);
  const target = resolve(path);
  const temporary = join(dirname(target), temporaryName(basename(target)));
  try {
    mkdirSync(temporary, { recursive: true });
    await fill(temporary);
    await syncFiles(temporary);
    if (replace) rmSync(target, { recursive: true, force: true });
    else refuseExisting(path);
    renameSync(temporary, target);
    syncFolder(dirname(target));
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw asWriteError(path, error);
  }
}

/**
 * Refuses to write over what is there, a broken link too.
 * @throws CleanclipError `ERR_OPTION`
 */
export function refuseExisting(path: string): void {
  if (!existsSync(path) && lstatSync(path, { throwIfNoEntry: false }) === undefined) return;
  throw optionError(`'${path}' is there already and is not written over; choose another name, or delete it.`);
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
