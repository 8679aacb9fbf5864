import { accessSync, constants, existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

const reasons: Record<string, string> = {
  EROFS: 'read-only file system',
  EMFILE: 'too many open files; raise the limit with ulimit -n',
};

/**
 * Says why a file cannot be written, as the end of a sentence with the code: 'read-only file system (EROFS)'.
 * @param error error of a system call
 */
export function writeRefusal(path: string, { code = 'UNKNOWN', message }: NodeJS.ErrnoException): string {
  // the recursive mkdir of Node reports ENOENT when the system reported EROFS
  const cause = code === 'ENOENT' && isReadOnly(path) ? 'EROFS' : code;
  return `${reasons[cause] ?? /^\w+: (.*?), \w+/.exec(message)?.[1] ?? message} (${cause})`;
}

/** Tells whether the folder of a path, or the first existing folder above it, lies on a read-only file system. */
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
