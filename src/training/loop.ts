import { join } from 'node:path';
import { setImmediate as yieldToEvents } from 'node:timers/promises';

import type { Clip } from '../clip/model';
import { CleanclipError, isAbort } from '../errors';
import type { Evaluator } from '../evaluation/evaluator';
import type { TrainOptions } from '../options/train';
import type { JobHooks } from '../progress';
import { writeCheckpoint } from '../run/checkpoint';
import type { RunLog } from '../run/log';
import { type Order, type Position } from '../run/position';
import { ranks } from '../run/ranks';
import type { GradScaler } from '../torch/grad_scaler';
import type { AdamW } from '../torch/optim';
import { cosineSchedule } from '../torch/schedule';
import { Measurements } from './measurements';
import type { TrainingPairs } from './pairs';
import type { ParallelModel } from './parallel';
import { lossWeights, type StepLosses, trainStep } from './step';
import { type StepNumbers, StepReporter } from './step_reporter';

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
  /** for the checkpoints */
  order: Order;
  evaluator: Evaluator;
  options: TrainOptions;
  log: RunLog;
  device: string;
  start: Position;
  /** the run goes on with its own checkpoint */
  resumed: boolean;
  /** the last epoch and the last step, whichever comes first; the step ends the schedule of the learning rate */
  end: { epoch: number; step: number };
  hooks: JobHooks;
}

/**
 * Trains from `start` to the last epoch: steps, log lines, an evaluation and a checkpoint each epoch. Of several ranks
 * each computes its part of a batch and rank 0 writes; they stop together, at the same step, when one is asked to.
 * Whatever else ends it, the last step is saved.
 */
export async function trainLoop(run: Run): Promise<TrainResult> {
  const { clip, parallel, optimizer, scaler, pairs, order, options, log, device, resumed, end, hooks } = run;
  const { signal } = hooks;
  const learningRate = cosineSchedule(options.lr, options.numWarmupSteps, end.step);
  const weights = lossWeights(options);
  const folder = join(log.folder, 'checkpoints');
  const measurements = await Measurements.open(run, join(folder, 'epoch.best.pt'));

  let { epoch, batch, step } = run.start;
  let checkpoint: string | undefined;
  let stepsBefore = step - batch;
  const save = (name: string): string => {
    const path = join(folder, name);
    if (ranks().rank === 0)
      writeCheckpoint(path, options.name, clip, optimizer, { epoch, batch, step }, { order, scaler });
    return path;
  };
  const saveEpoch = (): string => save(options.completeFinetune ? 'epoch.pt' : `epoch_${epoch}.pt`);
  const measure = (): Promise<void> => measurements.measure({ epoch, batch, step }, () => save('epoch.best.pt'));
  let unreported: (() => void) | undefined;
  let sound = true; // not after a loss that is no number: the weights are none either
  const reportStep = (): void => {
    const report = unreported;
    unreported = undefined;
    sound = false;
    report?.();
    sound = true;
  };

  try {
    if (batch === 0) {
      if (resumed) await measure();
      await pairs.removeAfter(epoch, signal);
    }
    while (epoch < end.epoch && step < end.step) {
      const { loader } = pairs;
      const { batches } = loader;
      log.info(`Starting Epoch ${epoch + 1}`);
      const reporter = new StepReporter(run, batches, epoch + 1);
      clip.train();
      for await (const loaded of loader.epoch(epoch + 1, {
        startBatch: batch,
        signal: parallel === undefined ? signal : undefined,
      })) {
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
        const lr = learningRate(
          options.compat === 'reference' ? (epoch + 1) * batches + loaded.index : stepsBefore + loaded.index,
        );
        optimizer.lr = lr;
        reporter.dataReady();
        const readLosses = trainStep(clip, optimizer, loaded, weights, {
          accumFreq: options.accumFreq,
          joined,
          scaler,
        });
        const count = joined?.counts.reduce((sum, one) => sum + one) ?? loaded.rows.length;
        loaded.dispose();
        reportStep();
        batch = loaded.index + 1;
        step = stepsBefore + batch;
        checkpoint = undefined;
        const done = { epoch: epoch + 1, batch, step };
        unreported = () => reporter.stepDone(finite(readLosses(), done), count, lr, done);
        // else after the next step has been given to the GPU, which need not wait for this
        if (device === 'cpu') reportStep();
        if (options.saveEverySteps > 0 && step % options.saveEverySteps === 0) {
          reportStep();
          checkpoint = save('step.pt');
        }
        if (step >= end.step) break;
        await yieldToEvents();
        if (parallel === undefined && signal?.aborted) throw stopped();
      }
      reportStep();
      if (step >= end.step && batch < batches) break;
      epoch++;
      batch = 0;
      stepsBefore = step;
      await log.share();
      log.info(`Finished Epoch ${epoch}, Time Taken: ${reporter.seconds().toFixed(3)}`);
      checkpoint = saveEpoch();
      await measure();
      await pairs.removeAfter(epoch, signal);
    }
    checkpoint ??= batch > 0 ? save('step.pt') : saveEpoch();
    if (batch > 0) await measure();
  } catch (error) {
    if (!sound) throw error;
    const stop = signal?.aborted === true || isAbort(error);
    try {
      reportStep();
      if (checkpoint === undefined && step > run.start.step) save('step.pt');
    } catch (unsaved) {
      throw stop ? unsaved : error;
    }
    // the others stop without rank 0 when it has failed
    const saved = resumed || (step > run.start.step && (stop || ranks().rank === 0));
    log.warning(`Stopped at step ${step}${saved ? '; --resume auto goes on from there' : ''}.`);
    if (!stop) throw error;
    throw new CleanclipError(
      `Training was stopped at step ${step}${saved ? '; it is saved, and --resume auto goes on' : ''}.`,
      'ERR_ABORTED',
      {
        cause: error,
      },
    );
  }
  await log.share();
  const { metrics, bestCheckpoint } = measurements;
  return { checkpoint, ...(bestCheckpoint !== undefined && { bestCheckpoint }), metrics, history: log.history };
}

const stopped = (): CleanclipError => new CleanclipError('Training was asked to stop.', 'ERR_ABORTED');

/** The losses, if they are numbers. */
function finite(losses: StepLosses, { epoch, step }: StepNumbers): StepLosses {
  if (Number.isFinite(losses.loss)) return losses;
  throw new CleanclipError(
    `The loss became ${losses.loss} at step ${step} of epoch ${epoch}; lower --lr or raise --num_warmup_steps. ` +
      'The checkpoints before it are kept.',
    'ERR_DATA',
  );
}
