import { accessSync, constants, existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

const reasons: Record<string, string> = {
  EROFS: 'read-only file system',
  EMFILE: 'too many open files; raise the limit with ulimit -n',
};

/**
 * Why the file system does not write a file, as the end of a sentence with the code: 'read-only file system (EROFS)'.
 * @param error of a system call
 */
export function writeRefusal(path: string, { code = 'UNKNOWN', message }: NodeJS.ErrnoException): string {
  // Node's recursive mkdir says ENOENT where the system said EROFS
  const cause = code === 'ENOENT' && isReadOnly(path) ? 'EROFS' : code;
  return `${reasons[cause] ?? /^\w+: (.*?), \w+/.exec(message)?.[1] ?? message} (${cause})`;
}

/** Whether the folder of a path, or the first above it that is there, lies on a read-only file system. */
function isReadOnly(path: string): boolean {
  let folder = resolve(path);
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  try {
    accessSync(folder, constants.W_OK);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EROFS';
  }
}
