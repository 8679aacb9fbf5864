import type { ProgressEvent } from '../progress';
import type { RunLog } from './log';

/** How the steps of a training are reported. */
export interface ReportedTraining<L> {
  /** start of each line in output.log: 'Train', 'Finetune', 'Linear probe' */
  name: string;
  /** start of the text of progress events; default empty */
  progressName?: string;
  epochs: number;
  totalSteps: number;
  /** batches between lines; the last batch of an epoch gets one too; default: a fifth of an epoch */
  logEvery?: number;
  /** the amount that a batch counts in a line of output.log; default 1 */
  batchSize?: number;
  /** writes the values of a line to metrics.jsonl */
  record: (values: StepRecord<L>) => void;
}

/** The values reported for the steps since the line before. */
export interface StepRecord<L> {
  /** number of the epoch, from 1; `step` counts from 1 too */
  epoch: number;
  step: number;
  /** losses of the last of these steps; `lr` is of that step too */
  losses: L;
  lr: number;
  /** seconds since the line before */
  time: number;
  rowsPerSecond: number;
  /** fraction of that time spent waiting for batches */
  dataWait: number;
}

/**
 * Times the steps of a training, and reports them: a progress event per step, and a log line and a record every
 * `logEvery` batches.
 */
export class StepReporter<L extends { loss: number }> {
  private batches = 0;
  private epochStart = 0;
  private lastLine = 0;
  private waitingSince = 0;
  private waited = 0;
  private rows = 0;

  constructor(
    private readonly training: ReportedTraining<L>,
    private readonly log: Pick<RunLog, 'info'>,
    private readonly onProgress: ((event: ProgressEvent) => void) | undefined,
  ) {}

  /**
   * Begins an epoch.
   * @param batches number of batches in this epoch
   */
  startEpoch(batches: number): void {
    this.batches = batches;
    this.epochStart = this.lastLine = this.waitingSince = performance.now();
    this.waited = this.rows = 0;
  }

  /** Returns the seconds since the epoch began. */
  epochSeconds(): number {
    return (performance.now() - this.epochStart) / 1000;
  }

  /** Marks the moment at which the next batch has arrived. */
  dataReady(): void {
    this.waited += performance.now() - this.waitingSince;
  }

  /** Leaves time out of what is reported of steps: what else was done between two of them took it. */
  skip(milliseconds: number): void {
    this.lastLine += milliseconds;
    this.waitingSince += milliseconds;
  }

  /**
   * Reports a step.
   * @param losses losses of the step
   * @param done epoch, batch and step, each counted from 1, with the number of rows and the learning rate
   */
  stepDone(
    losses: L,
    { epoch, batch, step, rows, lr }: { epoch: number; batch: number; step: number; rows: number; lr: number },
  ): void {
    const { batches, training, log } = this;
    const { name, progressName = '', epochs, totalSteps, batchSize = 1, record } = training;
    this.rows += rows;
    this.waitingSince = performance.now();
    this.onProgress?.({
      type: 'progress',
      done: step,
      total: totalSteps,
      text: `${progressName}epoch ${epoch}/${epochs}  loss ${losses.loss.toFixed(4)}`,
    });
    const every = training.logEvery ?? Math.max(1, Math.floor(batches / 5));
    if (batch % every !== 0 && batch !== batches && step !== totalSteps) return;

    const now = performance.now();
    const time = (now - this.lastLine) / 1000;
    const done = `${batch * batchSize}/${batches * batchSize} (${Math.round((100 * batch) / batches)}%)`;
    log.info(
      `${name} Epoch: ${String(epoch).padStart(2, '0')} [${done}]\tLoss: ${losses.loss.toFixed(6)}` +
        `\tTime taken ${time.toFixed(3)}\tLearning Rate: ${lr.toFixed(9)}`,
    );
    const dataWait = this.waited / (now - this.lastLine);
    record({ epoch, step, losses, lr, time, rowsPerSecond: this.rows / time, dataWait });
    this.lastLine = now;
    this.waited = this.rows = 0;
  }
}
