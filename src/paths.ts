import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

import { CleanclipError } from './errors';

/** The folder of this package: it holds package.json, dist/, native/ and, once built, build/. */
export const packageRoot = resolve(__dirname, '..');

/**
 * Where the addon is compiled and loaded from: `$CLEANCLIP_BUILD`, for a second addon against another libtorch, else
 * `build/`.
 */
export const buildFolder = resolve(packageRoot, process.env.CLEANCLIP_BUILD || 'build');

/** The compiled addon. */
export const addonFile = join(buildFolder, 'Release', 'cleanclip.node');

/** Beside the addon: what it was built from; see {@link BuildRecord}. */
export const recordFile = join(buildFolder, 'Release', 'cleanclip.json');

/** What mends a missing or ill-fitting addon. */
export const remedyCommand = 'npx cleanclip setup';

/** The user's folder; undefined for a user without one, as in a container that runs under a bare number. */
export function homeFolder(): string | undefined {
  try {
    return homedir() || undefined;
  } catch {
    return undefined; // no HOME and no entry in passwd
  }
}

/**
 * The project's cache: `$CLEANCLIP_CACHE`, else `$XDG_CACHE_HOME/cleanclip`, else `~/.cache/cleanclip`.
 * @throws CleanclipError `ERR_NATIVE` for a user without a home folder; a shared one would let others put a libtorch
 * there
 */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.CLEANCLIP_CACHE) return resolve(env.CLEANCLIP_CACHE);
  if (env.XDG_CACHE_HOME) return join(env.XDG_CACHE_HOME, 'cleanclip');
  const home = homeFolder();
  if (home !== undefined) return join(home, '.cache', 'cleanclip');
  throw new CleanclipError(
    'This user has no home folder for the cache: HOME is not set, and the system names none. Set ' +
      'CLEANCLIP_CACHE to a folder that can be written.',
    'ERR_NATIVE',
  );
}

/** Where fetched libtorches lie, a folder each. */
export const libtorchCache = (): string => join(cacheFolder(), 'libtorch');
