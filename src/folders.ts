import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

import { dataError } from './errors';
import { asWriteError } from './files';

/**
 * Makes a folder and those above it where they are missing.
 * @returns the first one that was made, or undefined when there was nothing to make
 * @throws CleanclipError `ERR_DATA`: a file is in the way, or the disk refuses
 */
export function makeFolder(path: string): string | undefined {
  try {
    return mkdirSync(path, { recursive: true });
  } catch (error) {
    const file = fileInTheWay(path);
    if (file === undefined) throw asWriteError(path, error);
    throw dataError(`'${path}' must be a folder, but '${file}' is none; move it away, or choose another folder.`, error);
  }
}

/** The part of a path that is there and no folder. */
function fileInTheWay(path: string): string | undefined {
  for (let part = path; ; part = dirname(part)) {
    try {
      return statSync(part).isDirectory() ? undefined : part;
    } catch {
      if (dirname(part) === part) return undefined;
    }
  }
}
