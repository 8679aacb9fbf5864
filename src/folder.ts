import { closeSync, existsSync, fsyncSync, lstatSync, mkdirSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

import { optionError } from './errors';
import { asWriteError, syncFolder, temporaryName } from './files';

/**
 * Makes a folder that appears whole or not at all: `fill` writes into a temporary folder beside it, all of which then goes to the disk and gets
 * its name. Folders above it are made if need be.
 * @param fill gets the path of the temporary folder
 * @throws CleanclipError `ERR_OPTION` when there is something of that name; `ERR_DATA` when the disk refuses; and whatever `fill` throws
 */
export async function writeFolderWhole(path: string, fill: (temporary: string) => Promise<void>): Promise<void> {
  refuseExisting(path);
  const target = resolve(path);
  const temporary = join(dirname(target), temporaryName(basename(target)));
  try {
    mkdirSync(temporary, { recursive: true });
    await fill(temporary);
    for (const name of readdirSync(temporary)) sync(join(temporary, name));
    syncFolder(temporary);
    refuseExisting(path);
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

function sync(file: string): void {
  const fd = openSync(file, 'r+');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
