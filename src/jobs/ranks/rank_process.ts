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

/** A job and its options, checked already. */
export interface Work {
  job: JobName;
  options: object;
}

/** What a rank is told: first its work. */
export type ToRank = Work | 'abort';

/** How a rank's work ended: with a result, or an error; it `died` when it could not say so itself. */
export type Outcome = { result: unknown } | { error: Error; died: boolean };

/** A rank in a process of its own, as its parent sees it. */
export class RankProcess {
  readonly rank: number;
  /** resolves as soon as the outcome is known, which may be before the process has ended */
  readonly outcome: Promise<Outcome>;
  /** resolves when there is no process any more */
  readonly ended: Promise<unknown>;
  private readonly child: ChildProcess;
  private readonly who: string;

  /**
   * @param main the module that the process runs
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
    // What a rank said last may come after its exit, and before its channel closes.
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

  /** Tells it to save and end. */
  abort(): void {
    this.send('abort');
  }

  /** Ends it at once, whatever it does. */
  kill(): void {
    this.child.kill('SIGKILL');
  }

  private send(message: ToRank): void {
    this.child.send(message, () => {}); // one that has ended hears nothing; its end is reported
  }

  /** Passes on what native code writes, line by line. */
  private print(from: Readable, to: Writable): void {
    createInterface({ input: from }).on('line', (line) => to.write(`Rank ${this.rank} | ${line}\n`));
  }

  /** Rank 0's errors read as those of a job in one process. */
  private named(error: Error): Error {
    if (this.rank !== 0 && !error.message.startsWith('Rank ')) error.message = `${this.who}: ${error.message}`;
    return error;
  }

  /** Whether the run has left a checkpoint. */
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
      case 'SIGINT': // a rank soon takes no notice of these
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
