import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** The holder of a lock, as its file records it. */
export interface Holder {
  host: string;
  pid: number;
  /** when it took the lock, in ISO 8601 */
  since: string;
  /** id of the system's boot; '' if unknown */
  boot: string;
  /** PID namespace, which differs between containers; '' if unknown */
  namespace: string;
  /** start time of the process, which differs when a pid is reused; '' if unknown */
  start: string;
  /** random, so that no two locks have the same content */
  nonce: string;
}

/** This process, as the holder of a new lock. */
export const ownHolder = (): Holder => ({
  host: hostname(),
  pid: process.pid,
  since: new Date().toISOString(),
  boot: boot(),
  namespace: namespace(),
  start: startOf(process.pid) ?? '',
  nonce: randomBytes(8).toString('hex'),
});

/** Parses the content of a lock's file; undefined when it is invalid. */
export function parseHolder(text: string | undefined): Holder | undefined {
  try {
    const holder = JSON.parse(text ?? '') as Holder;
    return Number.isSafeInteger(holder?.pid) && holder.pid > 0 && typeof holder.host === 'string' ? holder : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Names the holder for an error message.
 * @param doubtful path of the lock's file, if it is unknown whether its process still runs
 */
export function describeHolder(holder: Holder | undefined, doubtful?: string): string {
  const who =
    holder === undefined ? 'another process' : `process ${holder.pid} on host ${holder.host} since ${holder.since}`;
  return doubtful === undefined ? who : `${who}, as '${doubtful}' says (delete that file if the process has ended)`;
}

/** Whether the holder's process belongs to another host, or to an earlier boot of this one. */
export const isElsewhere = (holder: Holder): boolean =>
  holder.boot && boot() ? holder.boot !== boot() : holder.host !== hostname();

/**
 * Whether the holder's process has ended; undefined if unknown.
 * @param sharedDisk whether processes of other hosts may hold the lock
 */
export function hasEnded(holder: Holder, sharedDisk: boolean): boolean | undefined {
  if (isElsewhere(holder)) return sharedDisk ? undefined : true;
  if (holder.namespace !== namespace()) return undefined;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return true;
  }
  const start = startOf(holder.pid);
  return start !== undefined && holder.start !== '' && start !== holder.start;
}

const boot = (): string => readOr('', () => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());

const namespace = (): string => readOr('', () => readlinkSync('/proc/self/ns/pid'));

/**
 * The start time of a process, in clock ticks since boot: field 22 of /proc/<pid>/stat. Field 2 is the name in
 * parentheses, which may contain any character, so fields are counted after it.
 */
const startOf = (pid: number): string | undefined =>
  readOr(
    undefined,
    () =>
      readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')[19],
  );

function readOr<T>(otherwise: T, read: () => T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
