import { join } from 'node:path';

import { initialWeights } from '../classify/initial';
import type { Clip } from '../clip/model';
import { chooseDevice, jobHints, newClip } from '../clip/open';
import { badRowWarnings, type PairTable, readPairs, refuseBadRows } from '../data/pairs';
import { batchCount, shardLength } from '../data/sampler';
import { CleanclipError, dataError } from '../errors';
import { Evaluator, type Measured } from '../evaluation/evaluator';
import { compatOf } from '../options/compat';
import type { TrainOptions } from '../options/train';
import type { JobHooks } from '../progress';
import { beginTraining, tellOfModel } from '../run/begin';
import { type Checkpoint, earlierRun, newestCheckpoint } from '../run/checkpoint';
import { EarlyLines } from '../run/early_lines';
import { RunLog } from '../run/log';
import { differingRank, fromFirstRank, ranks } from '../run/ranks';
import { changeOf, type LoopState, type Order } from '../run/state';
import { torch } from '../torch';
import type { AdamW } from '../torch/optim';
import { makeOptimizer, makeScaler } from './optimizer';
import { trainPairs } from './pair_training';
import { pairsAt, TrainingPairs } from './pairs';
import { ParallelModel } from './parallel';
import type { TrainResult } from './result';
import { checkLeft, describe, endOf, type Found, startOf } from './start';

/**
 * Trains CLIP as the options say: pretraining, CleanCLIP finetuning (`inmodal` and `completeFinetune`), or finetuning
 * with the loss of CLIP alone. Everything that can be checked is checked before the first step. With several ranks each
 * has its part of every batch. The first rank reads what to start from, and writes the results.
 * @throws CleanclipError as `trainLoop`; `ERR_OPTION`, `ERR_DATA` or `ERR_CHECKPOINT` before the first step
 */
export async function runTraining(options: TrainOptions, hooks: JobHooks): Promise<TrainResult> {
  const device = chooseDevice(options);
  if (device !== 'cpu') torch.backends.cudnn.benchmark = true;
  const folder = join(options.logs, options.name);
  const early = new EarlyLines(hooks);
  const table = await readPairs(options.trainData!, options, early.hooks);
  await checkTable(table, options);
  const shard = ranks();
  const batches = batchCount(shardLength(table.length, shard), options.batchSize / shard.worldSize, true);

  const own: { checkpoint?: Checkpoint } = {}; // set on the first rank only
  const found = await fromFirstRank(async () => {
    const earlier = earlierRun(folder, options, () => newestCheckpoint(folder, jobHints(options)));
    own.checkpoint = earlier?.checkpoint ?? (await initialWeights(options, hooks));
    return describe(options, own.checkpoint, earlier);
  });
  const order: Order = { examples: table.length, batchSize: options.batchSize, seed: options.seed };
  const start = startOf(found, options, order, batches);
  const end = endOf(options, batches);
  const clip = newClip(options, device, found.config);
  if (own.checkpoint !== undefined) clip.loadStateDict(own.checkpoint.stateDict);
  const parallel = shard.worldSize > 1 ? await ParallelModel.create(clip, options) : undefined;
  const evaluator = await Evaluator.open(clip, options, device, hooks);

  const log = new RunLog(folder, hooks.onProgress);
  const pairs = new TrainingPairs(
    found.resumed ? await pairsAt(start, table, options, early.hooks) : table,
    clip,
    options,
    log,
  );
  try {
    checkLeft(found, start, end, options);
    const optimizer = makeOptimizer(clip, options);
    const takesState = found.resumed || !options.completeFinetune || compatOf(options).takesOptimizer;
    const untaken = takesState && found.hasOptimizer ? shareState(optimizer, own.checkpoint, found.resumed) : [];
    const scaler = makeScaler(clip, takesState ? found.scaler : undefined);
    begin(log, options, clip, { found, start, order, batches, device });
    early.writeTo(log);
    for (const warning of [...found.warnings, ...untaken]) log.warning(warning);

    logBadRows(log, table, start, options);
    const { resumed } = found;
    return await log.during(async () => {
      if (!resumed)
        await evaluateBase(evaluator, log, { epoch: start.epoch, step: start.step, checkpoint: found.path });
      return trainPairs({
        ...{ clip, parallel, optimizer, scaler, pairs, order, evaluator, options },
        ...{ log, device, start, resumed, end, hooks },
      });
    });
  } finally {
    await pairs.close();
    parallel?.dispose();
  }
}

/** Measures the model before it is trained, and shows what is measured. */
async function evaluateBase(evaluator: Evaluator, log: RunLog, at: Measured): Promise<void> {
  await evaluator.showSamples(log, at);
  await evaluator.evaluate(log, at);
}

/** Warns of the rows that were left out of the training data, and records how many they are. */
function logBadRows(log: RunLog, table: PairTable, { epoch, step }: LoopState, options: TrainOptions): void {
  for (const warning of badRowWarnings(table.badRows, options.trainData!)) log.warning(warning);
  const { count } = table.badRows;
  if (count > 0) log.metrics({ type: 'data', epoch, step, rows: table.length, rows_left_out: count });
}

/**
 * Gives the optimizer of every rank the state of a checkpoint, which only the first rank has. A state for other
 * parameters is left out, unless the run resumes.
 * @returns warnings
 */
function shareState(optimizer: AdamW, checkpoint: Checkpoint | undefined, resumed: boolean): string[] {
  const warnings: string[] = [];
  try {
    if (checkpoint !== undefined) optimizer.loadStateDict(checkpoint.optimizer!);
  } catch (error) {
    if (resumed || !(error instanceof CleanclipError && error.code === 'ERR_CHECKPOINT')) throw error;
    warnings.push(`The optimizer of '${checkpoint!.path}' is not taken: ${error.message}`);
  }
  if (ranks().worldSize > 1) torch.distributed.broadcastCoalesced(optimizer.moments());
  return warnings;
}

async function checkTable(table: PairTable, options: TrainOptions): Promise<void> {
  if (options.strict) refuseBadRows(table.badRows, options.trainData!);
  if (options.unlearn && !table.hasBackdoor()) {
    throw dataError(
      `${options.trainData} marks no pair as poisoned, so --unlearn has nothing to do; add a column is_backdoor ` +
        'of 0 and 1.',
    );
  }
  const differing = await differingRank(table.length);
  if (differing !== undefined)
    throw dataError(
      `${options.trainData} has ${differing.first} pairs for rank 0 and ${differing.own} for rank ` +
        `${differing.rank}; give all machines the same file.`,
    );
}

function begin(
  log: RunLog,
  options: TrainOptions,
  clip: Clip,
  facts: { found: Found; start: LoopState; order: Order; batches: number; device: string },
): void {
  const { found, start, order, batches, device } = facts;
  beginTraining(log, options, {
    resumedAt: found.resumed ? start : undefined,
    device,
    precision: clip.precision,
    loaded:
      found.path === undefined ? undefined : { path: found.path, at: `start epoch ${start.epoch}, step ${start.step}` },
  });
  tellOfModel(log, { ...found, ...start });
  const parameters = clip.namedParameters().reduce((sum, [, p]) => sum + p.shape.reduce((a, b) => a * b, 1), 0);
  log.info(`Num parameters: ${parameters}, Num samples: ${order.examples}, Num batches: ${batches}`);
  const change = changeOf(found.order, order);
  if (found.resumed && change !== undefined) log.warning(`Going on with other batches than before: ${change}.`);
}
