import { existsSync } from 'node:fs';

import { addonFile, remedyCommand } from '../paths';
import { nativeError, tryReadLibtorch } from './libtorch';
import { platform, readRecord } from './record';

/**
 * Sets how often OpenMP's threads spin before they sleep, unless the caller's environment does. OpenMP reads this once,
 * when libtorch is loaded, from the environment of the main thread. 3,000 last from one operator of a step to the next.
 * The default of 300,000 stalls every step when data workers or other programs use the same cores.
 */
export function limitSpinning(): void {
  process.env.GOMP_SPINCOUNT ??= '3000';
}

/**
 * Loads the compiled addon and libtorch. The first call in a process takes 0.2 to 0.5 s; later calls take no time.
 *
 * @throws CleanclipError `ERR_NATIVE`: the addon is missing or does not load; the message names the command that
 * repairs it
 */
export function loadAddon<Addon>(): Addon {
  const obstacle = findObstacle();
  if (obstacle) throw nativeError(`${obstacle} Run "${remedyCommand}".`);
  limitSpinning();
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- a compiled addon can only be required
    return require(addonFile) as Addon;
  } catch (error) {
    const { message } = error as Error;
    const remedy =
      obstacleOfMachine(message) ?? `Run "${remedyCommand} --force"; "npx cleanclip doctor" shows what is there.`;
    throw nativeError(`The addon ${addonFile} cannot be loaded: ${message}. ${remedy}`, error);
  }
}

/** The remedy for a lack of memory, file descriptors or permission, which compiling again would not solve. */
function obstacleOfMachine(message: string): string | undefined {
  if (/cannot allocate memory|failed to map|cannot map|cannot create shared object descriptor/i.test(message)) {
    return (
      'There is too little memory or address space for libtorch: free memory, or raise the limit (ulimit -v ' +
      'unlimited).'
    );
  }
  if (/too many open files/i.test(message)) return 'This process has too many open files: raise the limit (ulimit -n).';
  if (/permission denied/i.test(message))
    return (
      'This user may not read or run it: run as the user who compiled it, or set CLEANCLIP_BUILD to a folder of ' +
      'your own and run setup.'
    );
  return undefined;
}

/** A sentence that says why the addon cannot work, found without loading it; null if nothing is wrong. */
function findObstacle(): string | null {
  if (!existsSync(addonFile)) return `The addon has not been compiled: there is no ${addonFile}.`;
  const record = readRecord();
  if (!record) return null;
  if (record.platform !== platform)
    return `The addon ${addonFile} was compiled for ${record.platform}, and this is ${platform}.`;
  const { root, version } = record.libtorch;
  const now = tryReadLibtorch(root)?.version;
  if (!now) return `The addon was compiled against libtorch ${version} in ${root}, which is no longer there.`;
  if (now !== version)
    return `The addon was compiled against libtorch ${version} in ${root}, but that folder now has version ${now}.`;
  return null;
}
