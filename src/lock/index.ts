import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { constants as system } from 'node:os';
import { dirname, join } from 'node:path';

import { asWriteError, temporaryName } from '../files';
import { makeFolder } from '../folders';
import { locksCrossHosts } from './disk';
import { lockByFile, readShortly } from './file';
import { describeHolder, isElsewhere, ownHolder, parseHolder } from './holder';

/** A lock that this process holds. */
export interface Lock {
  /**
   * Releases the lock. Removes its file, and the folders that {@link lock} made if they are empty. Later calls do
   * nothing.
   */
  release(): void;
}

/** Options of {@link lock}. */
export interface LockOptions {
  /** makes the error for a lock that is held, given its holder, such as 'process 12 on host a since …' */
  refusal: (holder: string) => Error;
  /**
   * locks an open file with flock(2), without waiting; returns 0 or an error number. The system releases such a lock
   * when the process ends, however it ends. Without this option, and on a file system without flock, the file itself is
   * the lock, which is taken over when its process has ended.
   */
  flock?: (fd: number) => number;
}

/**
 * Takes a lock, which only one process at a time can hold, or throws at once. The file of the lock names its holder.
 * The lock works between hosts that share a disk too. If the disk does not support locks between hosts, the file
 * of another host counts as held; the error says which file to delete.
 * @param file path of the lock's file; it is created if needed, with its folder. Either all processes that take this
 * lock pass `flock`, or none does.
 * @throws the error of `options.refusal` when the lock is held; CleanclipError `ERR_DATA` when the file cannot be
 * written
 */
export function lock(file: string, { refusal, flock }: LockOptions): Lock {
  const folder = dirname(file);
  const made = makeFolder(folder);
  const removeMade = (): void => {
    if (made === undefined) return;
    for (let path = folder; path.length >= made.length; path = dirname(path)) removeEmpty(path);
  };
  try {
    const free =
      flock !== undefined && systemLocks(folder, flock)
        ? lockBySystem(file, flock, refusal)
        : lockByFile(file, refusal);
    let held = true;
    const release = (): void => {
      if (!held) return;
      held = false;
      free();
      removeMade();
    };
    return { release };
  } catch (error) {
    removeMade();
    throw asWriteError(file, error);
  }
}

/** Whether the file system of a folder supports flock. It is tried on a temporary file. */
function systemLocks(folder: string, flock: (fd: number) => number): boolean {
  const file = join(folder, temporaryName('lock'));
  const fd = openSync(file, 'wx+');
  try {
    return flock(fd) === 0;
  } finally {
    closeSync(fd);
    rmSync(file, { force: true });
  }
}

function lockBySystem(file: string, flock: (fd: number) => number, refusal: LockOptions['refusal']): () => void {
  for (;;) {
    const fd = openSync(file, constants.O_RDWR | constants.O_CREAT, 0o666);
    try {
      const errno = flock(fd);
      if (errno === 0 && !isStillAt(file, fd)) {
        closeSync(fd); // its holder removed it in the meantime
        continue;
      }
      const holder = parseHolder(errno === 0 ? readFileSync(fd, 'utf8') : readShortly(file));
      if (errno === system.errno.EWOULDBLOCK) throw refusal(describeHolder(holder));
      if (errno !== 0) throw refusal(`an unknown process: the disk of '${file}' does not lock it (error ${errno})`);
      if (holder !== undefined && isElsewhere(holder) && !locksCrossHosts(file))
        throw refusal(describeHolder(holder, file));
      ftruncateSync(fd);
      writeSync(fd, JSON.stringify(ownHolder()), 0);
      return () => {
        rmSync(file, { force: true });
        closeSync(fd);
      };
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }
}

function isStillAt(file: string, fd: number): boolean {
  const [open, there] = [fstatSync(fd), statSync(file, { throwIfNoEntry: false })];
  return there?.ino === open.ino && there.dev === open.dev;
}

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // it is not empty
  }
}
