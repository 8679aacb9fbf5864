import { existsSync } from 'node:fs';

import type { MetricsRecord } from '../run/log';
import { fromFirstRank } from '../run/ranks';
import type { LoopState } from '../run/state';
import type { PairRun } from './pair_run';

/** The evaluations of a run as it trains, and its checkpoint with the least validation loss. */
export class Measurements {
  /** of the last evaluation */
  metrics: Record<string, number> = {};

  private constructor(
    private readonly run: PairRun,
    /** of this run before it was resumed */
    private readonly earlier: MetricsRecord[],
    private bestLoss: number,
    public bestCheckpoint: string | undefined,
  ) {}

  /**
   * Those of the run's log, if it is resumed. Every rank calls it.
   * @param best where the best checkpoint is kept
   */
  static async open(run: PairRun, best: string): Promise<Measurements> {
    const [earlier, kept] = await fromFirstRank(
      () => [run.log.history.filter(isOfThisRun), run.resumed && existsSync(best)] as const,
    );
    // Without the one that ended where the run goes on: it may have been stopped before the checkpoint was kept.
    const losses = earlier.flatMap(({ step, loss }) =>
      step !== run.start.step && typeof loss === 'number' ? [loss] : [],
    );
    return new Measurements(run, earlier, kept ? Math.min(...losses, Infinity) : Infinity, kept ? best : undefined);
  }

  /**
   * Evaluates the model, unless that was done before the run was resumed, and keeps it if it is the best so far. Every
   * rank calls it.
   */
  async measure({ epoch, batch, step }: LoopState, keep: () => string): Promise<void> {
    const { run, earlier } = this;
    const at = { epoch: batch > 0 ? epoch + 1 : epoch, step };
    const done = earlier.find((record) => record.epoch === at.epoch && record.step === step);
    if (done === undefined) {
      run.parallel?.syncBuffers();
      this.metrics = await run.evaluator.evaluate(run.log, at);
    } else {
      const metrics = Object.entries(done).filter(([name]) => !['type', 'epoch', 'step'].includes(name));
      this.metrics = Object.fromEntries(metrics) as Record<string, number>;
    }
    const { loss } = this.metrics;
    if (typeof loss !== 'number' || !(loss < this.bestLoss)) return;
    this.bestLoss = loss;
    this.bestCheckpoint = keep();
  }
}

/** Whether it is an evaluation of what the run itself has trained. */
const isOfThisRun = ({ type, epoch, checkpoint }: MetricsRecord): boolean =>
  type === 'evaluation' && epoch > 0 && checkpoint === undefined;
