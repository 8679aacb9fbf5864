import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { homeFolder, libtorchCache } from '../paths';
import { cudaObstacle } from './cuda';
import { type Libtorch, nativeError, pinnedVersion, readLibtorch, tryReadLibtorch } from './libtorch';
import { findPython, pipTorchFolder } from './python';

/** A libtorch, and where it was found. */
export interface FoundLibtorch extends Libtorch {
  readonly source: 'LIBTORCH' | 'cache' | 'pip';
}

/**
 * Finds a libtorch, in this order: the folder that `LIBTORCH` names, the project's cache, the `torch` package of the
 * Python interpreter. It downloads nothing.
 *
 * @param options.cuda skip a libtorch against which the addon cannot be built with CUDA and NCCL; default false
 * @returns null when there is none
 * @throws CleanclipError `ERR_NATIVE` when `LIBTORCH` is set but cannot be used: the user's choice is never skipped
 */
export function findLibtorch({ cuda = false }: { cuda?: boolean } = {}): FoundLibtorch | null {
  if (process.env.LIBTORCH) return { ...readChosen(process.env.LIBTORCH, cuda), source: 'LIBTORCH' };
  const fits = (libtorch: Libtorch): boolean => !cuda || cudaObstacle(libtorch) === null;

  const cached = cachedLibtorches().find(fits);
  if (cached) return { ...cached, source: 'cache' };

  const python = findPython();
  const folder = python && pipTorchFolder(python);
  const installed = folder && tryReadLibtorch(folder);
  return installed && fits(installed) ? { ...installed, source: 'pip' } : null;
}

function readChosen(folder: string, cuda: boolean): Libtorch {
  let libtorch: Libtorch;
  try {
    libtorch = readLibtorch(folder);
  } catch (error) {
    throw nativeError(`LIBTORCH cannot be used: ${(error as Error).message}`, error);
  }
  const obstacle = cuda ? cudaObstacle(libtorch) : null;
  if (obstacle)
    throw nativeError(`LIBTORCH cannot be used with --cuda: ${obstacle} Unset it, and setup fetches a CUDA build.`);
  return libtorch;
}

/** The cache's CUDA builds, because `setup --cuda` has asked for them; then the pinned version; then all others. */
function cachedLibtorches(): Libtorch[] {
  // without any of these there is no cache
  if (homeFolder() === undefined && !process.env.CLEANCLIP_CACHE && !process.env.XDG_CACHE_HOME) return [];
  const cache = libtorchCache();
  if (!existsSync(cache)) return [];
  const rank = ({ cuda, version }: Libtorch): number => (cuda ? 0 : version.startsWith(pinnedVersion) ? 1 : 2);
  return readdirSync(cache)
    .filter((name) => !name.startsWith('.'))
    .sort()
    .flatMap((name) => [join(cache, name), join(cache, name, 'torch')])
    .map(tryReadLibtorch)
    .filter((libtorch) => libtorch !== null)
    .sort((a, b) => rank(a) - rank(b));
}
