import { existsSync, lstatSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

import { dataError, optionError } from './errors';
import { asWriteError, syncFolder, temporaryName } from './files';

/**
 * Makes a folder, and missing folders above it.
 * @returns the first folder that was made, or undefined when all existed
 * @throws CleanclipError `ERR_DATA` when a file is in the way, or the folder cannot be made
 */
export function makeFolder(path: string): string | undefined {
  try {
    return mkdirSync(path, { recursive: true });
  } catch (error) {
    const file = fileInTheWay(path);
    if (file === undefined) throw asWriteError(path, error);
    throw dataError(
      `'${path}' must be a folder, but '${file}' is a file; move it away, or choose another folder.`,
      error,
    );
  }
}

/** Finds the part of a path that exists and is not a folder. */
function fileInTheWay(path: string): string | undefined {
  for (let part = path; ; part = dirname(part)) {
    try {
      return statSync(part).isDirectory() ? undefined : part;
    } catch {
      if (dirname(part) === part) return undefined;
    }
  }
}

/** The number of files that are synced at the same time, since the disk can write many at once. */
const TOGETHER = 16;

/**
 * Makes a folder that appears whole or not at all. `fill` writes files into a temporary folder beside it, which gets
 * its name once the disk has all of them. If that fails, everything stays as it was. Folders above it are made if
 * needed.
 * @param path path of the folder
 * @param fill receives the path of the temporary folder
 * @param options.replace whether to replace an existing folder; default false
 * @throws CleanclipError `ERR_OPTION` when something of that name exists; `ERR_DATA` when it cannot be written; also
 * whatever `fill` throws
 */
export async function writeFolderWhole(
  path: string,
  fill: (temporary: string) => Promise<void>,
  { replace = false } = {},
): Promise<void> {
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
 * Refuses a path where something exists, even a broken link.
 * @throws CleanclipError `ERR_OPTION` then
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
