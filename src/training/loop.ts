import { join } from 'node:path';
import { setImmediate as yieldToEvents } from 'node:timers/promises';

import type { Clip } from '../clip/model';
import { CleanclipError, isAbort } from '../errors';
import type { Evaluator } from '../evaluation/evaluator';
import type { JobHooks } from '../jobs/progress';
import type { TrainOptions } from '../options/train';
import type { GradScaler } from '../torch/grad_scaler';
import type { AdamW } from '../torch/optim';
import { cosineSchedule } from '../torch/schedule';
import { writeCheckpoint, type Position } from '../checkpoint';
import type { RunLog } from '../report/run_log';
import { ranks } from '../ranks';
import type { TrainingPairs } from './pairs';
import type { ParallelModel } from './parallel';
import { lossWeights, trainStep, type StepLosses } from './step';

/** What a finished training gives. */
export interface TrainResult {
  /** the last checkpoint */
  checkpoint: string;
  /** the one with the least validation loss; only with validation data */
  bestCheckpoint?: string;
  /** of the last evaluation */
  metrics: Record<string, number>;
  /** every object of metrics.jsonl */
  history: Record<string, unknown>[];
}

/** All that a training run works with. */
export interface Run {
  clip: Clip;
  /** the same model, when several ranks train it */
  parallel?: ParallelModel;
  optimizer: AdamW;
  /** only in float16 */
  scaler?: GradScaler;
  pairs: TrainingPairs;
  /** of all epochs, as the schedule of the learning rate has it */
  totalSteps: number;
  evaluator: Evaluator;
  options: TrainOptions;
  log: RunLog;
  device: string;
  start: Position;
  hooks: JobHooks;
}

/**
 * Trains from `start` to the last epoch: steps, log lines, an evaluation and a checkpoint each epoch. Of several ranks each computes its part of
 * a batch and rank 0 writes; they stop together, at the same step, when one is asked to.
 */
export async function trainLoop(run: Run): Promise<TrainResult> {
  const { clip, parallel, optimizer, scaler, pairs, evaluator, options, log, device, hooks } = run;
  const { signal } = hooks;
  const totalSteps = Math.min(run.totalSteps, options.maxSteps ?? Infinity);
  const lastEpoch = options.progressive ? Math.min(options.epochs, options.stopEpoch) : options.epochs;
  const learningRate = cosineSchedule(options.lr, options.numWarmupSteps, totalSteps);
  const weights = lossWeights(options);
  const folder = join(log.folder, 'checkpoints');
  const save = (name: string, position: Position): string => {
    const path = join(folder, name);
    if (ranks().rank === 0) writeCheckpoint(path, options.name, clip, optimizer, position, scaler);
    return path;
  };

  let { epoch, batch, step } = run.start;
  let metrics: Record<string, number> = {};
  let checkpoint: string | undefined;
  let bestCheckpoint: string | undefined;
  let bestLoss = Infinity;
  let stepsBefore = step - batch;
  let unreported: (() => void) | undefined;
  const reportStep = (): void => {
    unreported?.();
    unreported = undefined;
  };
  const evaluate = (finished: number): Promise<Record<string, number>> => {
    parallel?.syncBuffers();
    return evaluator.evaluate(log, finished, step);
  };
  const unsaved = (): boolean => checkpoint === undefined && step > run.start.step;

  try {
    if (batch === 0) await pairs.removeAfter(epoch, signal);
    while (epoch < lastEpoch && step < totalSteps) {
      const { loader } = pairs;
      const { batches } = loader;
      log.info(`Starting Epoch ${epoch + 1}`);
      const reporter = new StepReporter(run, batches, epoch + 1, totalSteps);
      clip.train();
      for await (const loaded of loader.epoch(epoch + 1, { startBatch: batch, signal: parallel === undefined ? signal : undefined })) {
        const joined = await parallel?.agree(loaded.isBackdoor, signal?.aborted === true);
        if (joined?.stop) {
          loaded.dispose();
          throw stopped();
        }
        if (joined?.counts.some((count) => count < options.accumFreq)) {
          loaded.dispose();
          log.warning(`Batch ${loaded.index + 1} is skipped: a rank has no pairs of it whose image can be read.`);
          continue;
        }
        const scheduled = options.compat === 'reference' ? (epoch + 1) * batches + loaded.index : stepsBefore + loaded.index;
        optimizer.lr = learningRate(scheduled);
        reporter.dataReady();
        const readLosses = trainStep(clip, optimizer, loaded, weights, { accumFreq: options.accumFreq, joined, scaler });
        const count = joined?.counts.reduce((sum, one) => sum + one) ?? loaded.rows.length;
        loaded.dispose();
        reportStep();
        batch = loaded.index + 1;
        step = stepsBefore + batch;
        checkpoint = undefined;
        const done = { epoch: epoch + 1, batch, step };
        unreported = () => reporter.stepDone(finite(readLosses(), done), count, done);
        if (device === 'cpu') reportStep(); // else after the next step has been given to the GPU, which need not wait for this
        if (options.saveEverySteps > 0 && step % options.saveEverySteps === 0) {
          reportStep();
          checkpoint = save('step.pt', { epoch, batch, step });
        }
        if (step >= totalSteps) break;
        await yieldToEvents();
        if (parallel === undefined && signal?.aborted) throw stopped();
      }
      reportStep();
      if (step >= totalSteps && batch < batches) break;
      epoch++;
      batch = 0;
      stepsBefore = step;
      await log.share();
      log.info(`Finished Epoch ${epoch}, Time Taken: ${reporter.seconds().toFixed(3)}`);
      checkpoint = save(options.completeFinetune ? 'epoch.pt' : `epoch_${epoch}.pt`, { epoch, batch, step });
      metrics = await evaluate(epoch);
      if (metrics.loss < bestLoss) {
        bestLoss = metrics.loss;
        bestCheckpoint = save('epoch.best.pt', { epoch, batch, step });
      }
      await pairs.removeAfter(epoch, signal);
    }
  } catch (error) {
    if (signal?.aborted !== true && !isAbort(error)) throw error;
    if (unsaved()) save('step.pt', { epoch, batch, step });
    log.warning(`Stopped at step ${step}; --resume auto goes on from there.`);
    throw new CleanclipError(`Training was stopped at step ${step}; it is saved, and --resume auto goes on.`, 'ERR_ABORTED', {
      cause: error,
    });
  }
  if (batch > 0) {
    checkpoint ??= save('step.pt', { epoch, batch, step });
    metrics = await evaluate(epoch + 1);
  }
  checkpoint ??= save(options.completeFinetune ? 'epoch.pt' : `epoch_${epoch}.pt`, { epoch, batch, step });
  await log.share();
  return { checkpoint, ...(bestCheckpoint !== undefined && { bestCheckpoint }), metrics, history: log.history };
}

const stopped = (): CleanclipError => new CleanclipError('Training was asked to stop.', 'ERR_ABORTED');

/** Where a step stands, each from 1. */
interface StepNumbers {
  epoch: number;
  batch: number;
  step: number;
}

/** The losses, if they are numbers. */
function finite(losses: StepLosses, { epoch, step }: StepNumbers): StepLosses {
  if (Number.isFinite(losses.loss)) return losses;
  throw new CleanclipError(
    `The loss became ${losses.loss} at step ${step} of epoch ${epoch}; lower --lr or raise --num_warmup_steps. The checkpoints before it are kept.`,
    'ERR_DATA',
  );
}

/** Times the steps of one epoch, and writes its log lines. */
class StepReporter {
  private readonly startedAt = performance.now();
  private sinceLine = performance.now();
  private waitingSince = performance.now();
  private waited = 0;
  private pairs = 0;

  constructor(
    private readonly run: Run,
    private readonly batches: number,
    private readonly epoch: number,
    private readonly totalSteps: number,
  ) {}

  seconds(): number {
    return (performance.now() - this.startedAt) / 1000;
  }

  dataReady(): void {
    this.waited += performance.now() - this.waitingSince;
  }

  stepDone(losses: StepLosses, pairs: number, { batch, step }: StepNumbers): void {
    const { batches } = this;
    const { options, log, optimizer, hooks } = this.run;
    this.pairs += pairs;
    this.waitingSince = performance.now();
    hooks.onProgress?.({
      type: 'progress',
      done: step,
      total: this.totalSteps,
      text: `epoch ${this.epoch}/${options.epochs}  loss ${losses.loss.toFixed(4)}`,
    });
    const every = options.logEvery ?? Math.max(1, Math.floor(batches / 5));
    if (batch % every !== 0 && batch !== batches && step !== this.totalSteps) return;

    const now = performance.now();
    const seconds = (now - this.sinceLine) / 1000;
    const done = `${batch * options.batchSize}/${batches * options.batchSize}`;
    const percent = Math.round((100 * batch) / batches);
    log.info(
      `Train Epoch: ${String(this.epoch).padStart(2, '0')} [${done} (${percent}%)]\tLoss: ${losses.loss.toFixed(6)}` +
        `\tTime taken ${seconds.toFixed(3)}\tLearning Rate: ${optimizer.lr.toFixed(9)}`,
    );
    log.metrics({
      type: 'train',
      epoch: this.epoch,
      step,
      ...losses,
      lr: optimizer.lr,
      time: seconds,
      pairs_per_second: this.pairs / seconds,
      data_wait: this.waited / (now - this.sinceLine),
    });
    this.sinceLine = now;
    this.pairs = 0;
    this.waited = 0;
  }
}
