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
   * Gives it up, and removes its file and the folders that were made for it if they are empty; later calls do nothing.
   */
  release(): void;
}

/** How {@link lock} works. */
export interface LockOptions {
  /** the error when another holds it, given who that is: 'process 12 on host a since …' */
  refusal: (holder: string) => Error;
  /**
   * The system's own lock on an open file (flock): 0, or an error number. The system frees it when the process ends in
   * whatever way. Without it, and on a disk that has no such locks, the file itself is the lock, which is taken over
   * when its process has ended.
   */
  flock?: (fd: number) => number;
}

/**
 * Takes a lock, which one process at a time can have, at once or not at all. Its file says who holds it. It holds
 * between hosts that share a disk too: where their disk does not pass on the system's locks, what another host has left
 * behind is refused, and the error says what to delete.
 * @param file made if need be, with its folder; all who take the lock give `flock`, or none does
 * @throws what `options.refusal` gives; CleanclipError `ERR_DATA` when the disk refuses
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

/** Whether the disk of a folder has locks of the system: tried on a file that nobody else knows. */
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
        closeSync(fd); // its holder removed it meanwhile
        continue;
      }
      const holder = parseHolder(errno === 0 ? readFileSync(fd, 'utf8') : readShortly(file));
      if (errno === system.errno.EWOULDBLOCK) throw refusal(describeHolder(holder));
      if (errno !== 0) throw refusal(`nobody, but the disk of '${file}' does not lock it (error ${errno})`);
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
    // it holds something
  }
}
