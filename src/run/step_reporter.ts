import type { ProgressEvent } from '../progress';
import type { RunLog } from './log';

/** What the lines of a training say of it. */
export interface ReportedTraining<L> {
  /** what a line of output.log begins with: 'Train', 'Finetune', 'Linear probe' */
  name: string;
  /** what the text of progress begins with; default nothing */
  progressName?: string;
  epochs: number;
  totalSteps: number;
  /** batches between lines; the last batch of an epoch has one too; default a fifth of an epoch */
  logEvery?: number;
  /** what a batch counts in a line of output.log; default 1 */
  batchSize?: number;
  /** writes what a line says to metrics.jsonl */
  record: (values: StepRecord<L>) => void;
}

/** What is told of the steps since the line before. */
export interface StepRecord<L> {
  /** from 1, as `step` */
  epoch: number;
  step: number;
  /** of the last of them, as `lr` */
  losses: L;
  lr: number;
  /** seconds */
  time: number;
  rowsPerSecond: number;
  /** share of the time that went by until a batch was there */
  dataWait: number;
}

/** Times the steps of a training, and reports them: progress at each, a log line and a record every so many. */
export class StepReporter<L extends { loss: number }> {
  private batches = 0;
  private epochStart = 0;
  private lastLine = 0;
  private waitingSince = 0;
  private waited = 0;
  private rows = 0;

  constructor(
    private readonly training: ReportedTraining<L>,
    private readonly log: RunLog,
    private readonly onProgress: ((event: ProgressEvent) => void) | undefined,
  ) {}

  /** @param batches of this epoch */
  startEpoch(batches: number): void {
    this.batches = batches;
    this.epochStart = this.lastLine = this.waitingSince = performance.now();
    this.waited = this.rows = 0;
  }

  /** Seconds since the epoch began. */
  epochSeconds(): number {
    return (performance.now() - this.epochStart) / 1000;
  }

  /** Marks the moment at which the next batch is there. */
  dataReady(): void {
    this.waited += performance.now() - this.waitingSince;
  }

  /** @param done the step, which counts from 1 as its epoch and batch, and what it was computed with */
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
