import { join } from 'node:path';
import { setImmediate as yieldToEvents } from 'node:timers/promises';

import type { Clip } from '../clip/model';
import { type PairLoader } from '../data/loader';
import { CleanclipError } from '../errors';
import type { Evaluator } from '../evaluation/evaluator';
import type { JobHooks } from '../jobs/progress';
import type { TrainOptions } from '../options/train';
import type { AdamW } from '../torch/optim';
import { cosineSchedule } from '../torch/schedule';
import { writeCheckpoint, type Position } from '../checkpoint';
import type { RunLog } from '../report/run_log';
import { trainStep, type StepLosses } from './step';

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
  optimizer: AdamW;
  loader: PairLoader;
  evaluator: Evaluator;
  options: TrainOptions;
  log: RunLog;
  device: string;
  start: Position;
  hooks: JobHooks;
}

/** Trains from `start` to the last epoch: steps, log lines, an evaluation and a checkpoint each epoch. */
export async function trainLoop(run: Run): Promise<TrainResult> {
  const { clip, optimizer, loader, evaluator, options, log, hooks } = run;
  const { batches } = loader;
  const totalSteps = Math.min(options.epochs * batches, options.maxSteps ?? Infinity);
  const learningRate = cosineSchedule(options.lr, options.numWarmupSteps, totalSteps);
  const scheduleShift = options.compat === 'reference' ? batches : 0;
  const folder = join(log.folder, 'checkpoints');
  const save = (name: string, position: Position): string => {
    const path = join(folder, name);
    writeCheckpoint(path, options.name, clip, optimizer, position);
    return path;
  };

  let { epoch, batch, step } = run.start;
  let metrics: Record<string, number> = {};
  let checkpoint: string | undefined;
  let bestCheckpoint: string | undefined;
  let bestLoss = Infinity;
  const unsaved = (): boolean => checkpoint === undefined && step > run.start.step;

  try {
    while (epoch < options.epochs && step < totalSteps) {
      log.info(`Starting Epoch ${epoch + 1}`);
      const reporter = new StepReporter(run, epoch + 1, totalSteps);
      clip.train();
      for await (const loaded of loader.epoch(epoch + 1, { startBatch: batch, signal: hooks.signal })) {
        optimizer.lr = learningRate(epoch * batches + loaded.index + scheduleShift);
        reporter.dataReady();
        const losses = trainStep(clip, optimizer, loaded, options, run.device);
        const pairs = loaded.rows.length;
        loaded.dispose();
        if (!Number.isFinite(losses.loss)) {
          throw new CleanclipError(
            `The loss became ${losses.loss} at step ${step + 1} of epoch ${epoch + 1}; lower --lr or raise --num_warmup_steps. The checkpoints before it are kept.`,
            'ERR_DATA',
          );
        }
        batch = loaded.index + 1;
        step = epoch * batches + batch;
        checkpoint = undefined;
        reporter.stepDone(losses, pairs, batch, step);
        if (options.saveEverySteps > 0 && step % options.saveEverySteps === 0) {
          checkpoint = save('step.pt', { epoch, batch, step });
        }
        if (step >= totalSteps) break;
        await yieldToEvents();
        hooks.signal?.throwIfAborted();
      }
      if (step >= totalSteps && batch < batches) break;
      epoch++;
      batch = 0;
      log.info(`Finished Epoch ${epoch}, Time Taken: ${reporter.seconds().toFixed(3)}`);
      checkpoint = save(options.completeFinetune ? 'epoch.pt' : `epoch_${epoch}.pt`, { epoch, batch, step });
      metrics = await evaluator.evaluate(log, epoch, step);
      if (metrics.loss < bestLoss) {
        bestLoss = metrics.loss;
        bestCheckpoint = save('epoch.best.pt', { epoch, batch, step });
      }
    }
  } catch (error) {
    if (hooks.signal?.aborted !== true) throw error;
    if (unsaved()) save('step.pt', { epoch, batch, step });
    log.warning(`Stopped at step ${step}; --resume auto goes on from there.`);
    throw new CleanclipError(`Training was stopped at step ${step}; it is saved, and --resume auto goes on.`, 'ERR_ABORTED', {
      cause: error,
    });
  }
  if (batch > 0) {
    checkpoint ??= save('step.pt', { epoch, batch, step });
    metrics = await evaluator.evaluate(log, epoch + 1, step);
  }
  checkpoint ??= save(options.completeFinetune ? 'epoch.pt' : `epoch_${epoch}.pt`, { epoch, batch, step });
  return { checkpoint, ...(bestCheckpoint !== undefined && { bestCheckpoint }), metrics, history: log.history };
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
    private readonly epoch: number,
    private readonly totalSteps: number,
  ) {}

  seconds(): number {
    return (performance.now() - this.startedAt) / 1000;
  }

  dataReady(): void {
    this.waited += performance.now() - this.waitingSince;
  }

  stepDone(losses: StepLosses, pairs: number, batch: number, step: number): void {
    const { loader, options, log, optimizer, hooks } = this.run;
    this.pairs += pairs;
    this.waitingSince = performance.now();
    hooks.onProgress?.({
      type: 'progress',
      done: step,
      total: this.totalSteps,
      text: `epoch ${this.epoch}/${options.epochs}  loss ${losses.loss.toFixed(4)}`,
    });
    const every = options.logEvery ?? Math.max(1, Math.floor(loader.batches / 5));
    if (batch % every !== 0 && batch !== loader.batches && step !== this.totalSteps) return;

    const now = performance.now();
    const seconds = (now - this.sinceLine) / 1000;
    const done = `${batch * options.batchSize}/${loader.batches * options.batchSize}`;
    const percent = Math.round((100 * batch) / loader.batches);
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
