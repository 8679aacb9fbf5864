import { join } from 'node:path';

import { type Lock, lock } from '../lock';
import { buildFolder } from '../paths';
import { writeRefusal } from '../write_refusal';
import { build } from './build';
import { missingCuda } from './cuda';
import { fetchCudaLibtorch, fetchLibtorch } from './fetch_libtorch';
import { findLibtorch } from './find_libtorch';
import { describeLibtorch, type Libtorch, nativeError } from './libtorch';
import { isCurrent } from './record';
import { needBuildTools } from './tools';

/** Options of {@link setup}. */
export interface SetupOptions {
  /** Build against a CUDA build of libtorch, with NCCL. Default: false, which uses any libtorch that is found. */
  readonly cuda?: boolean;
  /** Compile even when the addon is current. Default: false. */
  readonly force?: boolean;
  /** Tell only that the addon is ready, and show the compiler's messages only when it fails. Default: false. */
  readonly quiet?: boolean;
  /** Receives progress messages and the result, one line per call. Default: console.log. */
  readonly log?: (line: string) => void;
}

/**
 * Makes the addon ready: finds or downloads libtorch, and compiles the addon against it. If the addon exists and
 * neither libtorch nor the sources have changed, it does nothing and takes well under a second.
 *
 * @returns the libtorch that the addon uses
 * @throws CleanclipError `ERR_NATIVE` when a requirement is missing or the build fails; the message names the remedy
 */
export function setup({ cuda = false, force = false, quiet = false, log = console.log }: SetupOptions = {}): Libtorch {
  const found = findLibtorch({ cuda });
  if (found && !force && isCurrent(found) && !(cuda && missingCuda(found))) {
    log(`The addon is ready, built against libtorch ${describeLibtorch(found)}.`);
    return found;
  }
  needBuildTools();
  const held = holdBuild();
  try {
    const libtorch = compile(found, { cuda, quiet, log: quiet ? () => {} : log });
    log('The addon is ready.');
    return libtorch;
  } catch (error) {
    throw asBuildError(error);
  } finally {
    held.release();
  }
}

function compile(found: Libtorch | null, { cuda, quiet, log }: Omit<Required<SetupOptions>, 'force'>): Libtorch {
  const libtorch = found ?? (cuda ? fetchCudaLibtorch(log) : fetchLibtorch(log));
  log(`Compiling the addon against libtorch ${describeLibtorch(libtorch)}; this takes some minutes …`);
  build(libtorch, quiet);
  const missing = cuda ? missingCuda(libtorch) : null;
  if (missing) throw nativeError(missing);
  return libtorch;
}

/** Keeps other processes from compiling in the same folder. */
function holdBuild(): Lock {
  const refusal = (holder: string): Error =>
    nativeError(
      `The addon is being compiled in ${buildFolder} by ${holder}; wait until that is done, and run this again.`,
    );
  try {
    return lock(join(buildFolder, '.setup.lock'), { refusal });
  } catch (error) {
    const { cause } = error as Error;
    throw (cause as NodeJS.ErrnoException | undefined)?.syscall === undefined ? error : asBuildError(cause);
  }
}

/** Turns a file system error into a sentence that names the build folder; returns other errors unchanged. */
function asBuildError(error: unknown): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return error;
  return nativeError(
    'The addon cannot be compiled ' +
      `in ${buildFolder}: ${writeRefusal(buildFolder, error as NodeJS.ErrnoException)}. Run this as the user who ` +
      'installed the package, or set CLEANCLIP_BUILD to a folder that can be written.',
    error,
  );
}
