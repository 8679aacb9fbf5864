import { join } from 'node:path';

import { initialWeights } from '../classify/file';
import type { Clip } from '../clip/model';
import type { BadRow } from '../data/csv';
import { readPairs, type PairTable } from '../data/pairs';
import { batchCount } from '../data/sampler';
import { dataError, optionError } from '../errors';
import { Evaluator } from '../evaluation/evaluator';
import { chooseDevice, makeClip } from '../clip/open';
import type { JobHooks } from '../jobs/progress';
import type { TrainOptions } from '../options/train';
import { torch } from '../torch';
import { checkInitial, newestCheckpoint, type Checkpoint, type Position } from '../checkpoint';
import { trainLoop, type TrainResult } from './loop';
import { makeOptimizer, makeScaler } from './optimizer';
import { pairsAt, TrainingPairs } from './pairs';
import { RunLog } from '../report/run_log';
import { startRun } from '../report/start_run';

/**
 * Trains CLIP as the options say: pretraining, CleanCLIP finetuning (`inmodal` and `completeFinetune`), or finetuning with
 * CLIP's loss alone. Everything that can be checked is checked before the first step.
 */
export async function runTraining(options: TrainOptions, hooks: JobHooks): Promise<TrainResult> {
  checkTogether(options);
  const device = chooseDevice(options);
  if (device !== 'cpu') torch.backends.cudnn.benchmark = true;
  const folder = join(options.logs, options.name);
  const resumed = newestCheckpoint(join(folder, 'checkpoints'));
  if (resumed !== undefined && options.resume === undefined) {
    throw optionError(
      `'${folder}' holds the checkpoints of an earlier run; go on with it by --resume auto, choose another --name, or delete the folder.`,
    );
  }
  const table = await readPairs(options.trainData!, options);
  checkTable(table, options);
  const initial = resumed ?? (await initialWeights(options, hooks));
  const clip = makeClip(options, device, initial);
  const evaluator = await Evaluator.open(clip, options, device, hooks);

  const log = new RunLog(folder, hooks.onProgress);
  const batches = batchCount(table.length, options.batchSize, true);
  const start = startOf(resumed, initial, options, batches);
  const pairs = new TrainingPairs(resumed === undefined ? table : await pairsAt(start, table, options), clip, options, log);
  try {
    const optimizer = makeOptimizer(clip, options);
    const takesState = resumed !== undefined || !options.completeFinetune || options.compat === 'reference';
    if (takesState && initial?.optimizer !== undefined) optimizer.loadStateDict(initial.optimizer);
    const scaler = makeScaler(clip, takesState ? initial?.scaler : undefined);
    begin(log, options, clip, { resumed, initial, start, pairs: table.length, batches, device });

    for (const row of table.badRows.examples) log.warning(badLine(options, row).message);
    if (table.badRows.count > 0) log.warning(`${table.badRows.count} lines of the csv are skipped.`);
    if (resumed === undefined) await evaluator.evaluate(log, start.epoch, start.step);
    return await trainLoop({ clip, optimizer, scaler, pairs, totalSteps: options.epochs * batches, evaluator, options, log, device, start, hooks });
  } finally {
    await pairs.close();
  }
}

const badLine = ({ trainData }: TrainOptions, { line, reason }: BadRow): Error => dataError(`${trainData}, line ${line}: ${reason}.`);

function checkTogether(options: TrainOptions): void {
  const { completeFinetune, checkpoint, pretrained, progressive, progressiveEpochs } = options;
  if (completeFinetune && checkpoint === undefined && !pretrained) {
    throw optionError('--complete_finetune starts from a trained model; give it with --checkpoint or --pretrained.');
  }
  if (progressive !== (progressiveEpochs !== undefined)) {
    throw optionError('--progressive and --progressive_epochs go together: the removal, and the epochs after which it is done.');
  }
  checkInitial(options);
}

function checkTable(table: PairTable, options: TrainOptions): void {
  if (options.strict && table.badRows.count > 0) throw badLine(options, table.badRows.examples[0]);
  if (options.unlearn && !table.hasBackdoor()) {
    throw dataError(`${options.trainData} marks no pair as poisoned, so --unlearn has nothing to do; add a column is_backdoor of 0 and 1.`);
  }
}

function startOf(
  resumed: Checkpoint | undefined,
  initial: Checkpoint | undefined,
  options: TrainOptions,
  batches: number,
): Position {
  const from = resumed ?? (options.completeFinetune ? undefined : initial);
  if (from === undefined) return { epoch: 0, batch: 0, step: 0 };
  const { epoch, batch } = from;
  // A resumed run may have lost pairs on the way, so that its epochs were not all of one length.
  return { epoch, batch, step: resumed?.step || epoch * batches + batch };
}

function begin(
  log: RunLog,
  options: TrainOptions,
  clip: Clip,
  facts: { resumed?: Checkpoint; initial?: Checkpoint; start: Position; pairs: number; batches: number; device: string },
): void {
  const { resumed, initial, start, pairs, batches, device } = facts;
  startRun(log, options, resumed && start.step);
  log.info(`Using ${device} device, ${clip.precision}`);
  if (initial !== undefined) log.info(`Loaded checkpoint '${initial.path}' (start epoch ${start.epoch}, step ${start.step})`);
  const parameters = clip.namedParameters().reduce((sum, [, p]) => sum + p.shape.reduce((a, b) => a * b, 1), 0);
  log.info(`Num parameters: ${parameters}, Num samples: ${pairs}, Num batches: ${batches}`);
}
