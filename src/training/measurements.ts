import { existsSync } from 'node:fs';

import { dueAfterEpoch, dueAtStep, lowerIsBetter } from '../options/measuring';
import { type MetricsRecord, NO_METRICS } from '../run/log';
import { fromFirstRank } from '../run/ranks';
import type { LoopState } from '../run/state';
import type { PairRun } from './pair_run';

/** The metric that chose a checkpoint, and its value. */
export interface Best {
  metric: string;
  value: number;
}

/** The evaluations of a run while it trains, and its best checkpoint: by default that of the lowest validation loss. */
export class Measurements {
  /** metrics of the last evaluation, by name */
  metrics: Record<string, number> = {};

  private constructor(
    private readonly run: PairRun,
    /** evaluations of this run, those before it was resumed too */
    private readonly evaluations: MetricsRecord[],
    private best: Best | undefined,
    public bestCheckpoint: string | undefined,
    private readonly keep: (state: LoopState, best?: Best) => Promise<string>,
  ) {}

  /**
   * Opens the measurements of a run. A resumed run continues with those in its log. Every rank calls it.
   * @param path that of the best checkpoint
   * @param keep writes it, with the metric that chose it if an option names that, and returns its path
   */
  static async open(
    run: PairRun,
    path: string,
    keep: (state: LoopState, best?: Best) => Promise<string>,
  ): Promise<Measurements> {
    const [earlier, kept] = await fromFirstRank(
      () => [run.log.history.filter(isOfThisRun), run.resumed && existsSync(path)] as const,
    );
    // The evaluation at the point of resuming does not count: the run may have stopped before it kept that checkpoint.
    const before = kept ? earlier.filter(({ step }) => step !== run.start.step) : [];
    const measurements = new Measurements(run, earlier, undefined, kept ? path : undefined, keep);
    for (const record of before) measurements.best = measurements.betterIn(record) ?? measurements.best;
    return measurements;
  }

  /** The best value so far of the metric that chooses the best checkpoint, if it was measured. */
  get bestValue(): Best | undefined {
    return this.best;
  }

  /** Tells whether the model of a state is to be measured. That of the end always is. */
  isDue(state: LoopState): boolean {
    const { options, end } = this.run;
    if (state.batch > 0) return dueAtStep(options, state.step);
    return dueAfterEpoch(options, state, 1) || state.epoch >= end.epoch || state.step >= end.step;
  }

  /**
   * Evaluates the model, unless that was done before the run was resumed. It keeps the model when it is the best so
   * far. Every rank calls it.
   */
  async measure(state: LoopState): Promise<void> {
    const { run, evaluations } = this;
    const { epoch, batch, step } = state;
    const at = { epoch: batch > 0 ? epoch + 1 : epoch, step };
    const done = evaluations.find((record) => record.epoch === at.epoch && record.step === step);
    if (done === undefined) {
      run.parallel?.syncBuffers();
      this.metrics = await run.evaluator.evaluate(run.log, at);
      if (batch > 0) run.clip.train(); // the epoch goes on
      evaluations.push({ type: 'evaluation', ...at, ...this.metrics });
    } else {
      const metrics = Object.entries(done).filter(([name]) => !NO_METRICS.includes(name));
      this.metrics = Object.fromEntries(metrics) as Record<string, number>;
    }
    const better = this.betterIn(this.metrics);
    if (better === undefined) return;
    this.best = better;
    const { bestMetric } = run.options;
    if (bestMetric !== undefined)
      run.log.info(`The best checkpoint is now that of step ${step}: ${bestMetric} ${better.value.toFixed(4)}`);
    this.bestCheckpoint = await this.keep(state, bestMetric && better);
  }

  /** Returns the value of an evaluation that chooses the checkpoint, if it is better than all before. */
  private betterIn(metrics: Record<string, unknown>): Best | undefined {
    const { best, run } = this;
    const metric = run.options.bestMetric ?? 'loss';
    const value = metrics[metric];
    if (typeof value !== 'number' || !Number.isFinite(value)) return undefined;
    const better = best === undefined || (lowerIsBetter(metric) ? value < best.value : value > best.value);
    return better ? { metric, value } : undefined;
  }
}

/** Tells whether a record is an evaluation of what this run itself has trained. */
const isOfThisRun = ({ type, epoch, checkpoint }: MetricsRecord): boolean =>
  type === 'evaluation' && epoch > 0 && checkpoint === undefined;
