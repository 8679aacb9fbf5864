import { existsSync } from 'node:fs';

import { addonFile, remedyCommand } from '../paths';
import { nativeError, tryReadLibtorch } from './libtorch';
import { platform, readRecord } from './record';

/**
 * Loads the compiled addon, and libtorch with it (0.2 to 0.5 s the first time in a process); later calls are free.
 *
 * @throws CleanclipError `ERR_NATIVE`: what was looked for, where, and the command that mends it
 */
export function loadAddon<Addon>(): Addon {
  const obstacle = findObstacle();
  if (obstacle) throw nativeError(`${obstacle} Run "${remedyCommand}".`);
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

/** What to do when the machine has refused what the addon needs, which compiling it again would not mend. */
function obstacleOfMachine(message: string): string | undefined {
  if (/cannot allocate memory|failed to map|cannot map|cannot create shared object descriptor/i.test(message)) {
    return (
      'There is too little memory or address space for libtorch: free some, or raise the limit (ulimit -v ' +
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

/** Why the addon that is there, or is not, would not work: seen without loading it. */
function findObstacle(): string | null {
  if (!existsSync(addonFile)) return `The addon has not been compiled: there is no ${addonFile}.`;
  const record = readRecord();
  if (!record) return null;
  if (record.platform !== platform)
    return `The addon ${addonFile} was compiled for ${record.platform}, and this is ${platform}.`;
  const { root, version } = record.libtorch;
  const now = tryReadLibtorch(root)?.version;
  if (!now) return `The addon was compiled against libtorch ${version} in ${root}, which is no longer there.`;
  if (now !== version) return `The addon was compiled against libtorch ${version} in ${root}, where ${now} is now.`;
  return null;
}
