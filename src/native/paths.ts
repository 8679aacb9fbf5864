import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** The folder of this package: it holds package.json, dist/, native/ and, once built, build/. */
export const packageRoot = resolve(__dirname, '..', '..');

/** Where the addon is compiled and loaded from: `$CLEANCLIP_BUILD`, for a second addon against another libtorch, else `build/`. */
export const buildFolder = resolve(packageRoot, process.env.CLEANCLIP_BUILD || 'build');

/** The compiled addon. */
export const addonFile = join(buildFolder, 'Release', 'cleanclip.node');

/** Beside the addon: what it was built from; see {@link BuildRecord}. */
export const recordFile = join(buildFolder, 'Release', 'cleanclip.json');

/** What mends a missing or ill-fitting addon. */
export const remedyCommand = 'npx cleanclip setup';

/** The project's cache: `$CLEANCLIP_CACHE`, else `$XDG_CACHE_HOME/cleanclip`, else `~/.cache/cleanclip`. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.CLEANCLIP_CACHE) return resolve(env.CLEANCLIP_CACHE);
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'cleanclip');
}

/** Where fetched libtorches lie, a folder each. */
export const libtorchCache = (): string => join(cacheFolder(), 'libtorch');
