import { join } from 'node:path';

import { CleanclipError } from '../../errors';
import type { JobHooks, ProgressEvent } from '../../progress';
import type { JobName } from '../registry';
import { refuseAborted } from '../run';
import { type Outcome, RankProcess, type Work } from './rank_process';
import type { RankVariables } from './variables';

/**
 * Milliseconds that the other ranks have to end by themselves, once the outcome is known. They report why they end; the
 * first rank also writes its last checkpoint.
 */
const [PATIENCE, PATIENCE_WITH_FIRST] = [3000, 60_000];

/** The failure of a rank. */
type Failure = { rank: number } & Extract<Outcome, { error: Error }>;

/**
 * Runs a job in processes of this machine, one per rank. It passes on the events of rank 0, and the log lines of all
 * ranks.
 * @param job the name of the job
 * @param options its checked options, which are cloned into the processes
 * @param ranks environment variables of each rank
 * @param hooks those of the job
 * @param main the module that each process runs
 * @returns the result of the first of these ranks
 * @throws the error of the rank that failed; no process is left then; CleanclipError `ERR_DISTRIBUTED` when a rank
 * could not be started or died
 */
export async function runRanks<Result>(
  job: JobName,
  options: object,
  ranks: RankVariables[],
  { signal, onProgress }: JobHooks,
  main = join(__dirname, 'rank.js'),
): Promise<Result> {
  refuseAborted(job, signal);
  const processes = startRanks(main, { job, options }, ranks, onProgress);
  const abort = (): void => processes.forEach((rank) => rank.abort());
  signal?.addEventListener('abort', abort, { once: true });

  const deadlines: NodeJS.Timeout[] = [];
  let ending = false;
  const killAfter = (milliseconds: number, killed: RankProcess[]): number =>
    deadlines.push(
      setTimeout(() => {
        ending = true;
        killed.forEach((rank) => rank.kill());
      }, milliseconds),
    );
  const endSoon = (): void => {
    if (deadlines.length > 0) return;
    killAfter(PATIENCE, processes.slice(1));
    killAfter(PATIENCE_WITH_FIRST, processes.slice(0, 1));
  };
  const failures: Failure[] = [];
  const outcomes = processes.map(async ({ rank, outcome }) => {
    const settled = await outcome;
    if (!('error' in settled)) return settled;
    if (ending && settled.died) return settled;
    failures.push({ rank, ...settled });
    // Ranks that stop on request do so together, but the first of them has a checkpoint to write.
    if (settled.died || codeOf(settled.error) !== 'ERR_ABORTED') endSoon();
    return settled;
  });
  const [first] = outcomes;
  void first.then((settled) => 'result' in settled && endSoon());
  await Promise.all([...outcomes, ...processes.map((rank) => rank.ended)]);
  deadlines.forEach(clearTimeout);
  signal?.removeEventListener('abort', abort);

  const settled = await first;
  if ('result' in settled) return settled.result as Result;
  throw cause(failures).error;
}

/** Starts all ranks, or leaves none when one cannot be started. */
function startRanks(
  main: string,
  work: Work,
  ranks: RankVariables[],
  onProgress: JobHooks['onProgress'],
): RankProcess[] {
  const started: RankProcess[] = [];
  try {
    for (const variables of ranks) {
      const onEvent = (event: ProgressEvent): void => {
        if (variables.RANK === '0' || event.type === 'log') onProgress?.(event);
      };
      started.push(new RankProcess(main, variables, work, onEvent));
    }
  } catch (error) {
    started.forEach((rank) => rank.kill());
    const { RANK, WORLD_SIZE } = ranks[started.length];
    throw new CleanclipError(
      `Rank ${RANK} of ${WORLD_SIZE} could not be started: ${(error as Error).message}.`,
      'ERR_DISTRIBUTED',
      { cause: error },
    );
  }
  return started;
}

/**
 * Finds the failure that caused the others. Errors of a rank itself come before what it says about other ranks; among
 * equals the lowest rank comes first.
 */
function cause(failures: Failure[]): Failure {
  const weight = ({ error, died }: Failure): number =>
    died ? 0 : ({ ERR_ABORTED: 1, ERR_DISTRIBUTED: 2 }[codeOf(error) ?? ''] ?? 0);
  return failures.sort((a, b) => weight(a) - weight(b) || a.rank - b.rank)[0];
}

const codeOf = (error: Error): string | undefined => (error instanceof CleanclipError ? error.code : undefined);
