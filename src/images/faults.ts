import { CleanclipError } from '../errors';

// errors of the file system that say something of the path, not of the machine
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
 * Whose fault it is that an image cannot be used: `content` of the file's, `path` of what the row names, and `machine`
 * of a lack of memory or of descriptors, of a disk or of the network, which another moment may not have: the row must
 * not be left out for that.
 */
export function faultOf(error: unknown): 'content' | 'path' | 'machine' {
  if (!(error instanceof CleanclipError) || error.code !== 'ERR_DATA') return 'machine';
  const { code, syscall } = (error.cause ?? {}) as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return 'content';
  return OF_THE_PATH.has(code) ? 'path' : 'machine';
}
