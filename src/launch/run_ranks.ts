import { join } from 'node:path';

import { CleanclipError } from '../errors';
import type { JobHooks, ProgressEvent } from '../jobs/progress';
import type { JobName } from '../jobs/registry';
import { refuseAborted } from '../jobs/run';
import { RankProcess, type Outcome } from './rank_process';
import type { RankVariables } from './variables';

/** Milliseconds that the other ranks have, once the outcome is known, to end by themselves: to say why, to finish a file. */
const PATIENCE = 3000;

/** How a rank failed. */
type Failure = { rank: number } & Extract<Outcome, { error: Error }>;

/**
 * Runs a job in processes of this machine, a rank each. Events are those of rank 0, and the log lines of all.
 * @param options checked already; cloned into the processes
 * @param main the module that each process runs
 * @returns the result of the first of them
 * @throws the error of the rank that failed; no process is left then
 */
export async function runRanks<Result>(
  job: JobName,
  options: object,
  ranks: RankVariables[],
  { signal, onProgress }: JobHooks,
  main = join(__dirname, 'rank.js'),
): Promise<Result> {
  refuseAborted(job, signal);
  const processes: RankProcess[] = [];
  const endAll = (): void => processes.forEach((rank) => rank.kill());
  try {
    for (const variables of ranks) {
      const onEvent = (event: ProgressEvent): void => {
        if (variables.RANK === '0' || event.type === 'log') onProgress?.(event);
      };
      processes.push(new RankProcess(main, variables, { job, options }, onEvent));
    }
  } catch (error) {
    endAll();
    const who = `Rank ${ranks[processes.length].RANK} of ${ranks[0].WORLD_SIZE}`;
    throw new CleanclipError(`${who} could not be started: ${(error as Error).message}.`, 'ERR_DISTRIBUTED', { cause: error });
  }
  const abort = (): void => processes.forEach((rank) => rank.abort());
  signal?.addEventListener('abort', abort, { once: true });

  let deadline: NodeJS.Timeout | undefined;
  let ending = false;
  const endSoon = (): void => {
    deadline ??= setTimeout(() => {
      ending = true;
      endAll();
    }, PATIENCE);
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
  clearTimeout(deadline);
  signal?.removeEventListener('abort', abort);

  const settled = await first;
  if ('result' in settled) return settled.result as Result;
  throw cause(failures).error;
}

/** The failure that the others follow from: a rank's own before what ranks say of one another's, of the lowest rank. */
function cause(failures: Failure[]): Failure {
  const weight = ({ error, died }: Failure): number => (died ? 0 : ({ ERR_ABORTED: 1, ERR_DISTRIBUTED: 2 }[codeOf(error) ?? ''] ?? 0));
  return failures.sort((a, b) => weight(a) - weight(b) || a.rank - b.rank)[0];
}

const codeOf = (error: Error): string | undefined => (error instanceof CleanclipError ? error.code : undefined);
