import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

import { CleanclipError } from './errors';

/** The folder of this package: it holds package.json, dist/, native/ and, once built, build/. */
export const packageRoot = resolve(__dirname, '..');

/** Returns the version of this package. */
export const packageVersion = (): string =>
  (JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string }).version;

/**
 * The folder where the addon is compiled and loaded from: `build/`, or `$CLEANCLIP_BUILD`, which allows a second addon
 * against another libtorch.
 */
export const buildFolder = resolve(packageRoot, process.env.CLEANCLIP_BUILD || 'build');

/** The path of the compiled addon. */
export const addonFile = join(buildFolder, 'Release', 'cleanclip.node');

/** The path of the record of what the addon was built from, beside the addon; see {@link BuildRecord}. */
export const recordFile = join(buildFolder, 'Release', 'cleanclip.json');

/** The command that fixes a missing addon, or one that does not fit. */
export const remedyCommand = 'npx cleanclip setup';

/**
 * Returns the home folder of the user, or undefined when the user has none, as in a container that runs under a bare
 * user id.
 */
export function homeFolder(): string | undefined {
  try {
    return homedir() || undefined;
  } catch {
    return undefined; // no HOME and no entry in passwd
  }
}

/**
 * Returns the folder of the cache: `$CLEANCLIP_CACHE`, else `$XDG_CACHE_HOME/cleanclip`, else `~/.cache/cleanclip`.
 * @throws CleanclipError `ERR_NATIVE` for a user without a home folder; in a shared folder others could put a libtorch
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

/** Returns the folder of fetched libtorches, which has a folder for each. */
export const libtorchCache = (): string => join(cacheFolder(), 'libtorch');
