import type { JobHooks } from '../progress';
import type { RunLog } from '../run/log';
import type { StepReport } from './fit';

/** What {@link FitReporter} needs to know of the training. */
export interface ReportedFit {
  /** 'Finetune' or 'Linear probe' */
  name: string;
  epochs: number;
  /** batches an epoch */
  batches: number;
  totalSteps: number;
  /** batches between log lines; the last batch of an epoch has one too */
  every: number;
  /** writes what a line says to metrics.jsonl; epochs and steps count from 1 */
  record: (values: {
    epoch: number;
    step: number;
    loss: number;
    lr: number;
    time: number;
    images_per_second: number;
  }) => void;
}

/** Reports the steps of training a classifier: progress at each, a log line and a record every so many. */
export class FitReporter {
  private lineAt = performance.now();
  private images = 0;

  constructor(
    private readonly fit: ReportedFit,
    private readonly log: RunLog,
    private readonly hooks: JobHooks,
  ) {}

  readonly stepDone = ({ epoch: done, batch, step, loss, lr, images }: StepReport): void => {
    const { name, epochs, batches, totalSteps, every, record } = this.fit;
    const epoch = done + 1;
    this.images += images;
    this.hooks.onProgress?.({
      type: 'progress',
      done: step,
      total: totalSteps,
      text: `${name} epoch ${epoch}/${epochs}  loss ${loss.toFixed(4)}`,
    });
    if (batch % every !== 0 && batch !== batches && step !== totalSteps) return;
    const time = (performance.now() - this.lineAt) / 1000;
    const percent = Math.round((100 * batch) / batches);
    this.log.info(
      `${name} Epoch: ${String(epoch).padStart(2, '0')} [${batch}/${batches} (${percent}%)]\tLoss: ${loss.toFixed(6)}` +
        `\tTime taken ${time.toFixed(3)}\tLearning Rate: ${lr.toFixed(9)}`,
    );
    record({ epoch, step, loss, lr, time, images_per_second: this.images / time });
    this.lineAt = performance.now();
    this.images = 0;
  };
}
