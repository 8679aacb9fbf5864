import { join } from 'node:path';

import type { Batch } from '../data/batch';
import { compatOf } from '../options/compat';
import { BackgroundWrites } from '../run/background_writes';
import { checkpointContent } from '../run/checkpoint';
import { trainLoop } from '../run/loop';
import type { LoopSteps, NextBatch } from '../run/loop_parts';
import type { LoopState } from '../run/state';
import { StepReporter } from '../run/step_reporter';
import { torch } from '../torch';
import { cosineSchedule } from '../torch/schedule';
import { type Best, Measurements } from './measurements';
import type { PairRun } from './pair_run';
import type { JoinedStep } from './parallel';
import type { TrainResult } from './result';
import { lossWeights, type StepLosses, trainStep } from './step';

/**
 * Trains on pairs from `start` to the last epoch, with log lines, and with an evaluation and a checkpoint per epoch.
 * With several ranks each computes its part of a batch, and rank 0 writes.
 * @throws CleanclipError as `trainLoop`
 */
export async function trainPairs(run: PairRun): Promise<TrainResult> {
  const { clip, pairs, options, log, resumed, start, end } = run;
  const { signal } = run.hooks;
  const writes = new BackgroundWrites();
  const write = checkpointWriter(run, writes);
  const best = 'epoch.best.pt';
  const measurements = await Measurements.open(run, join(checkpoints(run), best), (state, why) =>
    write(best, state, why),
  );
  const measureIfDue = async (state: LoopState): Promise<void> => {
    if (measurements.isDue(state)) await measurements.measure(state);
  };
  const reporter = stepReporter(run);
  let checkpoint: string | undefined;

  await trainLoop({
    ...steps(run),
    name: 'Training',
    start,
    end,
    resumed,
    reporter,
    warn: (warning) => log.warning(warning),
    async save(state) {
      checkpoint = await write(fileOf(state, options.completeFinetune), state);
    },
    writes,
    weights: () => clip.namedParameters().map(([, weight]) => weight),
    saveEverySteps: options.saveEverySteps,
    signal,
    measuring: measurements,
    async onStart(state) {
      if (resumed) await measureIfDue(state);
      if (state.batch > 0) return;
      await pairs.removeAfter(state.epoch, run.hooks);
    },
    onEpochStart(epoch) {
      log.info(`Starting Epoch ${epoch}`);
      clip.train();
    },
    async onEpoch(state, save) {
      await log.share();
      log.info(`Finished Epoch ${state.epoch}, Time Taken: ${reporter.epochSeconds().toFixed(3)}`);
      await save();
      await measureIfDue(state);
      await pairs.removeAfter(state.epoch, run.hooks);
    },
    async onEnd(state) {
      if (state.batch > 0) await measurements.measure(state);
    },
  });
  await log.share();
  const { metrics, bestCheckpoint, bestValue } = measurements;
  return {
    checkpoint: checkpoint!,
    ...(bestCheckpoint !== undefined && { bestCheckpoint, best: bestValue }),
    metrics,
    history: log.history,
  };
}

const checkpoints = ({ log }: PairRun): string => join(log.folder, 'checkpoints');

/** Returns a function that begins to write a checkpoint, and returns its path. */
function checkpointWriter(
  run: PairRun,
  writes: BackgroundWrites,
): (name: string, state: LoopState, best?: Best) => Promise<string> {
  const { clip, optimizer, scaler, order, options } = run;
  return async (name, state, best) => {
    const path = join(checkpoints(run), name);
    await writes.start(() =>
      torch.saveAsync(checkpointContent(options.name, clip, optimizer, state, { order, scaler, best }), path),
    );
    return path;
  };
}

/** Returns the name of the checkpoint of a state: within an epoch, or after one. */
const fileOf = ({ epoch, batch }: LoopState, completeFinetune: boolean): string =>
  batch > 0 ? 'step.pt' : completeFinetune ? 'epoch.pt' : `epoch_${epoch}.pt`;

/** Returns how the batches of an epoch are loaded, and how a step is computed. */
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

/**
 * Returns the learning rate schedule. With `--compat reference` it counts epochs from 1, so it begins one epoch late.
 */
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
