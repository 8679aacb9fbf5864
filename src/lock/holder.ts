import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Who holds a lock, as its file says. */
export interface Holder {
  host: string;
  pid: number;
  /** when it took the lock: ISO 8601 */
  since: string;
  /** tells starts of the system apart; '' where it does not say */
  boot: string;
  /** tells containers, which count processes for themselves, apart */
  namespace: string;
  /** tells processes apart that have had one id after another */
  start: string;
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

/** What a lock's file says; undefined when that is nothing sensible. */
export function parseHolder(text: string | undefined): Holder | undefined {
  try {
    const holder = JSON.parse(text ?? '') as Holder;
    return Number.isSafeInteger(holder?.pid) && holder.pid > 0 && typeof holder.host === 'string' ? holder : undefined;
  } catch {
    return undefined;
  }
}

/** @param doubtful the lock's file, when nobody can tell whether its process still runs */
export function describeHolder(holder: Holder | undefined, doubtful?: string): string {
  const who =
    holder === undefined ? 'another process' : `process ${holder.pid} on host ${holder.host} since ${holder.since}`;
  return doubtful === undefined ? who : `${who}, as '${doubtful}' says (delete that file if the process has ended)`;
}

/** Whether its process is of another host, or of an earlier start of this one. */
export const isElsewhere = (holder: Holder): boolean =>
  holder.boot && boot() ? holder.boot !== boot() : holder.host !== hostname();

/**
 * Whether its process has ended; undefined when that cannot be told.
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
 * When a process began, in ticks since the system did: field 22 of its stat, whose second, a name in parentheses, may
 * hold anything.
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
