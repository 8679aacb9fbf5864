import { readFileSync, statfsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

// File system types as in Linux's statfs(2).
const NFS = 0x6969;
const LUSTRE = 0x0bd00bd0;
/** Ceph and GPFS, whose locks hold between hosts. */
const LOCKING = [0x00c36400, 0x47504653];
/** FUSE (sshfs, s3fs, …), CIFS, SMB2, SMB, 9p, vboxsf, AFS and BeeGFS, whose locks hold within one host. */
const HOST_ONLY = [0x65735546, 0xff534d42, 0xfe534d42, 0x517b, 0x01021997, 0x786f4256, 0x5346414f, 0x19830326];

/** Whether the file system of a file may be mounted on other hosts too. */
export function isSharedDisk(file: string): boolean {
  const type = typeOf(file);
  return [NFS, LUSTRE, ...LOCKING, ...HOST_ONLY].includes(type);
}

/** Whether a lock of the system (flock) on a file excludes processes of other hosts too. */
export function locksCrossHosts(file: string): boolean {
  const type = typeOf(file);
  if (HOST_ONLY.includes(type)) return false;
  if (type === NFS) return !/(^|,)(nolock|local_lock=(flock|all))(,|$)/.test(mountOptions(file));
  if (type === LUSTRE) return /(^|,)flock(,|$)/.test(mountOptions(file));
  return true;
}

const typeOf = (file: string): number => statfsSync(dirname(file)).type >>> 0;

/** The mount options of the file system of a file; `''` if unknown. */
function mountOptions(file: string): string {
  const path = resolve(file);
  try {
    const mounts = readFileSync('/proc/self/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' '));
    const holds = ([, point = '']: string[]): boolean => path.startsWith(point.endsWith('/') ? point : `${point}/`);
    return mounts.filter(holds).sort(([, a], [, b]) => b.length - a.length)[0]?.[3] ?? '';
  } catch {
    return '';
  }
}
