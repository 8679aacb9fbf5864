import { CleanclipError } from '../errors';

// File system errors whose cause is the path, not the machine.
const OF_THE_PATH = new Set([
  'ENOENT',
  'ENOTDIR',
  'EACCES',
  'EPERM',
  'EISDIR',
  'ELOOP',
  'ENAMETOOLONG',
  'EINVAL',
  'ENXIO',
  'EOVERFLOW',
]);

/**
 * The cause of an image that cannot be used.
 * - `content`: the file holds no readable image.
 * - `path`: the path of the row leads to no file.
 * - `machine`: memory, file descriptors, the disk or the network failed. A later try may succeed, so the row must not
 *   be left out.
 */
export function faultOf(error: unknown): 'content' | 'path' | 'machine' {
  if (!(error instanceof CleanclipError) || error.code !== 'ERR_DATA') return 'machine';
  const { code, syscall } = (error.cause ?? {}) as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return 'content';
  return OF_THE_PATH.has(code) ? 'path' : 'machine';
}
