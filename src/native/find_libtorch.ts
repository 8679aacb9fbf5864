import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { nativeError, pinnedVersion, readLibtorch, tryReadLibtorch, type Libtorch } from './libtorch';
import { libtorchCache } from './paths';
import { findPython, pipTorchFolder } from './python';

/** A libtorch, and which of the places it was found in. */
export interface FoundLibtorch extends Libtorch {
  readonly source: 'LIBTORCH' | 'cache' | 'pip';
}

/**
 * Looks for a libtorch, in this order: the folder named by `LIBTORCH`, the project's cache, the `torch` package of
 * the Python interpreter. Nothing is downloaded.
 *
 * @returns null when there is none
 * @throws CleanclipError `ERR_NATIVE` when `LIBTORCH` is set and cannot be used: what the user chose is not passed over
 */
export function findLibtorch(): FoundLibtorch | null {
  if (process.env.LIBTORCH) return { ...readChosen(process.env.LIBTORCH), source: 'LIBTORCH' };

  const cached = findCached();
  if (cached) return { ...cached, source: 'cache' };

  const python = findPython();
  const folder = python && pipTorchFolder(python);
  const installed = folder && tryReadLibtorch(folder);
  return installed ? { ...installed, source: 'pip' } : null;
}

function readChosen(folder: string): Libtorch {
  try {
    return readLibtorch(folder);
  } catch (error) {
    throw nativeError(`LIBTORCH cannot be used: ${(error as Error).message}`, error);
  }
}

/** The pinned version before any other that the cache holds. */
function findCached(): Libtorch | null {
  const cache = libtorchCache();
  if (!existsSync(cache)) return null;
  const libtorches = readdirSync(cache)
    .filter((name) => !name.startsWith('.'))
    .sort()
    .map((name) => tryReadLibtorch(join(cache, name)))
    .filter((libtorch) => libtorch !== null);
  return libtorches.find(({ version }) => version.startsWith(pinnedVersion)) ?? libtorches[0] ?? null;
}
