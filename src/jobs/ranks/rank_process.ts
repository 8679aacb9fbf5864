import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

import { CleanclipError, failure } from '../../errors';
import type { ProgressEvent } from '../../progress';
import type { FromJob } from '../messages';
import type { JobName } from '../registry';
import type { RankVariables } from './variables';

/** A job and its checked options. */
export interface Work {
  job: JobName;
  options: object;
}

/** A message to a rank. The first is its work. */
export type ToRank = Work | 'abort';

/**
 * The outcome of a rank's work: a result or an error. `died` is true when the rank could not report the error itself.
 */
export type Outcome = { result: unknown } | { error: Error; died: boolean };

/** A rank in a process of its own, as its parent sees it. */
export class RankProcess {
  readonly rank: number;
  /** resolves as soon as the outcome is known, which may be before the process has ended */
  readonly outcome: Promise<Outcome>;
  /** resolves when the process has ended */
  readonly ended: Promise<unknown>;
  private readonly child: ChildProcess;
  private readonly who: string;

  /**
   * Starts the process, and gives it its work.
   * @param main the module that the process runs
   * @param variables environment variables that make the process a rank
   * @param work the job and its options
   * @param onEvent called with each event of the job
   */
  constructor(
    main: string,
    variables: RankVariables,
    private readonly work: Work,
    onEvent: (event: ProgressEvent) => void,
  ) {
    this.rank = Number(variables.RANK);
    this.who = `Rank ${variables.RANK} of ${variables.WORLD_SIZE}`;
    const env = { ...process.env, ...variables };
    const child = fork(main, [], { env, serialization: 'advanced', stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    this.child = child;
    // The last message of a rank may arrive after its exit, and before its channel closes.
    const end = Promise.all([once(child, 'exit'), once(child, 'disconnect')]).then(
      ([[code, signal]]) => this.unexpectedEnd(code as number | null, signal as NodeJS.Signals | null),
      ({ message }: Error) => new CleanclipError(`${this.who} could not be started: ${message}.`, 'ERR_DISTRIBUTED'),
    );
    this.ended = end;
    this.print(child.stdout!, process.stdout);
    this.print(child.stderr!, process.stderr);
    this.outcome = new Promise((resolve) => {
      child.on('message', (message: FromJob) => {
        if (message.type === 'event') onEvent(message.event);
        else if (message.type === 'done') resolve({ result: message.result });
        else resolve({ error: this.named(failure(message)), died: false });
      });
      void end.then((error) => resolve({ error, died: true }));
    });
    this.send(work);
  }

  /** Tells the rank to save and end. */
  abort(): void {
    this.send('abort');
  }

  /** Ends the rank at once, whatever it does. */
  kill(): void {
    this.child.kill('SIGKILL');
  }

  private send(message: ToRank): void {
    this.child.send(message, () => {}); // a rank that has ended gets no message; its end is reported elsewhere
  }

  /** Passes on what native code prints, line by line. */
  private print(from: Readable, to: Writable): void {
    createInterface({ input: from }).on('line', (line) => to.write(`Rank ${this.rank} | ${line}\n`));
  }

  /** Puts the rank in front of an error message. Errors of rank 0 read as those of a job in one process. */
  private named(error: Error): Error {
    if (this.rank !== 0 && !error.message.startsWith('Rank ')) error.message = `${this.who}: ${error.message}`;
    return error;
  }

  /** Tells whether the run has left a checkpoint to resume from. */
  private canGoOn(): boolean {
    const { logs = '', name = '' } = this.work.options as { logs?: string; name?: string };
    const folder = join(logs, name, 'checkpoints');
    return existsSync(folder) && readdirSync(folder).some((file) => file.endsWith('.pt'));
  }

  private unexpectedEnd(code: number | null, signal: NodeJS.Signals | null): Error {
    const fatal = (what: string): Error => new CleanclipError(`${this.who} ${what}.`, 'ERR_DISTRIBUTED');
    switch (signal) {
      case null:
        return fatal(`ended with exit code ${code} in the middle of its work; look at what it printed last`);
      case 'SIGINT': // a rank ignores these once it has begun
      case 'SIGTERM':
      case 'SIGHUP':
        return new CleanclipError(`${this.who} was stopped by ${signal} before it began.`, 'ERR_ABORTED');
      case 'SIGKILL':
        return fatal(
          'was killed by SIGKILL; if nobody did that, memory ran out: take fewer ranks or a smaller ' +
            `--batch_size${this.canGoOn() ? ', and go on with --resume auto' : ''}`,
        );
      default:
        return fatal(`was killed by ${signal}; look at what it printed last`);
    }
  }
}
