import type { Run } from './loop';
import type { StepLosses } from './step';

/** Where a step stands, each from 1. */
export interface StepNumbers {
  epoch: number;
  batch: number;
  step: number;
}

/** Times the steps of one epoch, and writes its log lines. */
export class StepReporter {
  private readonly startedAt = performance.now();
  private sinceLine = performance.now();
  private waitingSince = performance.now();
  private waited = 0;
  private pairs = 0;

  constructor(
    private readonly run: Run,
    private readonly batches: number,
    private readonly epoch: number,
  ) {}

  seconds(): number {
    return (performance.now() - this.startedAt) / 1000;
  }

  dataReady(): void {
    this.waited += performance.now() - this.waitingSince;
  }

  /** @param lr the learning rate of the step */
  stepDone(losses: StepLosses, pairs: number, lr: number, { batch, step }: StepNumbers): void {
    const { batches } = this;
    const { options, log, hooks, end } = this.run;
    this.pairs += pairs;
    this.waitingSince = performance.now();
    hooks.onProgress?.({
      type: 'progress',
      done: step,
      total: end.step,
      text: `epoch ${this.epoch}/${options.epochs}  loss ${losses.loss.toFixed(4)}`,
    });
    const every = options.logEvery ?? Math.max(1, Math.floor(batches / 5));
    if (batch % every !== 0 && batch !== batches && step !== end.step) return;

    const now = performance.now();
    const seconds = (now - this.sinceLine) / 1000;
    const done = `${batch * options.batchSize}/${batches * options.batchSize}`;
    const percent = Math.round((100 * batch) / batches);
    log.info(
      `Train Epoch: ${String(this.epoch).padStart(2, '0')} [${done} (${percent}%)]\tLoss: ${losses.loss.toFixed(6)}` +
        `\tTime taken ${seconds.toFixed(3)}\tLearning Rate: ${lr.toFixed(9)}`,
    );
    log.metrics({
      type: 'train',
      epoch: this.epoch,
      step,
      ...losses,
      lr,
      time: seconds,
      pairs_per_second: this.pairs / seconds,
      data_wait: this.waited / (now - this.sinceLine),
      bad_rows: this.run.pairs.badRows,
    });
    this.sinceLine = now;
    this.pairs = 0;
    this.waited = 0;
  }
}
