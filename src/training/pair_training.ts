import { join } from 'node:path';

import type { Batch } from '../data/batch';
import { compatOf } from '../options/compat';
import { writeCheckpoint } from '../run/checkpoint';
import { trainLoop } from '../run/loop';
import type { LoopSteps, NextBatch } from '../run/loop_parts';
import { ranks } from '../run/ranks';
import type { LoopState } from '../run/state';
import { StepReporter } from '../run/step_reporter';
import { cosineSchedule } from '../torch/schedule';
import { Measurements } from './measurements';
import type { PairRun } from './pair_run';
import type { JoinedStep } from './parallel';
import type { TrainResult } from './result';
import { lossWeights, type StepLosses, trainStep } from './step';

/**
 * Trains on pairs from `start` to the last epoch: steps, log lines, an evaluation and a checkpoint each epoch. Of
 * several ranks each computes its part of a batch and rank 0 writes.
 */
export async function trainPairs(run: PairRun): Promise<TrainResult> {
  const { clip, optimizer, scaler, pairs, order, options, log, resumed, start, end } = run;
  const { signal } = run.hooks;
  const folder = join(log.folder, 'checkpoints');
  const measurements = await Measurements.open(run, join(folder, 'epoch.best.pt'));
  const reporter = stepReporter(run);
  let checkpoint: string | undefined;

  const write = (name: string, state: LoopState): string => {
    const path = join(folder, name);
    if (ranks().rank === 0) writeCheckpoint(path, options.name, clip, optimizer, state, { order, scaler });
    return path;
  };
  const measure = (state: LoopState): Promise<void> => measurements.measure(state, () => write('epoch.best.pt', state));

  await trainLoop({
    ...steps(run),
    name: 'Training',
    start,
    end,
    resumed,
    reporter,
    warn: (warning) => log.warning(warning),
    save: (state) => (checkpoint = write(fileOf(state, options.completeFinetune), state)),
    weights: () => clip.namedParameters().map(([, weight]) => weight),
    saveEverySteps: options.saveEverySteps,
    signal,
    async onStart(state) {
      if (state.batch > 0) return;
      if (resumed) await measure(state);
      await pairs.removeAfter(state.epoch, signal);
    },
    onEpochStart(epoch) {
      log.info(`Starting Epoch ${epoch}`);
      clip.train();
    },
    async onEpoch(state, save) {
      await log.share();
      log.info(`Finished Epoch ${state.epoch}, Time Taken: ${reporter.epochSeconds().toFixed(3)}`);
      save();
      await measure(state);
      await pairs.removeAfter(state.epoch, signal);
    },
    async onEnd(state) {
      if (state.batch > 0) await measure(state);
    },
  });
  await log.share();
  const { metrics, bestCheckpoint } = measurements;
  return {
    checkpoint: checkpoint!,
    ...(bestCheckpoint !== undefined && { bestCheckpoint }),
    metrics,
    history: log.history,
  };
}

/** The checkpoint of a state: in the middle of an epoch, or after one. */
const fileOf = ({ epoch, batch }: LoopState, completeFinetune: boolean): string =>
  batch > 0 ? 'step.pt' : completeFinetune ? 'epoch.pt' : `epoch_${epoch}.pt`;

/** The batches of an epoch, and how a step on one of them is computed. */
function steps(run: PairRun): LoopSteps<Batch, JoinedStep, StepLosses> {
  const { clip, parallel, optimizer, scaler, pairs, options, log, device } = run;
  const { accumFreq } = options;
  const weights = lossWeights(options);
  return {
    batchesPerEpoch: () => pairs.loader.batches,
    batches: (epoch, startBatch, signal) => pairs.loader.epoch(epoch, { startBatch, signal }),
    agree: parallel && ((batch, stop) => parallel.agree(batch.isBackdoor, stop)),
    leastRows: accumFreq,
    onSkip: (batch) => log.warning(`Batch ${batch} is skipped: a rank has no pairs of it whose image can be read.`),
    optimizer,
    learningRate: learningRates(run),
    step: (batch, joined) => trainStep(clip, optimizer, batch, weights, { accumFreq, joined, scaler }),
    late: device !== 'cpu',
    diverged: (loss, { epoch, step }) =>
      `The loss became ${loss} at step ${step} of epoch ${epoch}; lower --lr or raise --num_warmup_steps. ` +
      'The checkpoints before it are kept.',
  };
}

/** The reference counts its epochs from 1 here, so that its schedule begins an epoch late. */
function learningRates({ options, end }: PairRun): (next: NextBatch) => number {
  const rate = cosineSchedule(options.lr, options.numWarmupSteps, end.step);
  return compatOf(options).schedulesLate
    ? ({ epoch, batches, index }) => rate((epoch + 1) * batches + index)
    : ({ step }) => rate(step);
}

function stepReporter({ options, end, log, pairs, hooks }: PairRun): StepReporter<StepLosses> {
  const { epochs, logEvery, batchSize } = options;
  return new StepReporter(
    {
      name: 'Train',
      epochs,
      totalSteps: end.step,
      logEvery,
      batchSize,
      record: ({ epoch, step, losses, lr, time, rowsPerSecond, dataWait }) =>
        log.metrics({
          type: 'train',
          epoch,
          step,
          ...losses,
          lr,
          time,
          pairs_per_second: rowsPerSecond,
          data_wait: dataWait,
          bad_rows: pairs.badRows,
        }),
    },
    log,
    hooks.onProgress,
  );
}
