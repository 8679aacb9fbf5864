import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import type { CompleteConfig } from '../clip/config';
import type { Clip } from '../clip/model';
import { type ModelFile, readModel } from '../clip/read_model';
import type { Hints } from '../clip/resolve';
import type { StateDict } from '../clip/weights';
import { CleanclipError, dataError, optionError } from '../errors';
import type { GradScaler } from '../torch/grad_scaler';
import type { AdamW } from '../torch/optim';
import { OrderedDict } from '../torch/serialization';
import { type Fields, fieldsOf } from './checkpoint_fields';
import type { LoopState, Order } from './state';

/** The contents of a checkpoint file. */
export interface Checkpoint extends Fields {
  path: string;
  name: string;
  stateDict: StateDict;
  config: CompleteConfig;
  /** a sentence that names the parts of the configuration nobody has stated, if any */
  assumed?: string;
  /** a sentence that names the objects of the file that were left unread, if any */
  unread?: string;
}

/**
 * Returns the content of a checkpoint, which Python can read too. It has the keys of the reference: `epoch`, `name`,
 * `state_dict` and `optimizer`. For resuming within an epoch it also has `batch`, `step` and `order`. It adds the
 * `config` of the model, and the state of the `scaler` if there is one. The `best` checkpoint by `--best_metric` says
 * the name of the metric and its value.
 */
export function checkpointContent(
  name: string,
  clip: Clip,
  optimizer: AdamW,
  { epoch, batch, step }: LoopState,
  { order, scaler, best }: { order?: Order; scaler?: GradScaler; best?: { metric: string; value: number } } = {},
): Record<string, unknown> {
  const stateDict = new OrderedDict(Object.entries(clip.stateDict()));
  const more = { ...(order && { order }), ...(scaler && { scaler: scaler.stateDict() }), ...(best && { best }) };
  return {
    epoch,
    name,
    state_dict: stateDict,
    optimizer: optimizer.stateDict(),
    batch,
    step,
    config: clip.config,
    ...more,
  };
}

/**
 * Reads a checkpoint, or any other file that {@link readModel} reads.
 * @param path the file or folder
 * @param hints what the caller knows about the architecture
 * @param wanted what to give instead when the file does not exist, for the error
 * @throws CleanclipError `ERR_CHECKPOINT` when it does not exist or cannot be used
 */
export function readCheckpoint(
  path: string,
  hints: Hints = {},
  wanted = '--checkpoint the path of a .pt file',
): Checkpoint {
  checkExists(path, wanted);
  return checkpointOf(readModel(path, hints));
}

/**
 * Checks that a checkpoint exists.
 * @param wanted what to give instead, for the error
 * @throws CleanclipError `ERR_CHECKPOINT` when nothing exists at the path
 */
export function checkExists(path: string, wanted: string): void {
  if (!existsSync(path))
    throw new CleanclipError(`There is no checkpoint '${path}'; give ${wanted}.`, 'ERR_CHECKPOINT');
}

/** Converts the file of a model to a checkpoint. */
export function checkpointOf({ path, content, stateDict, config, assumed, unread }: ModelFile): Checkpoint {
  return {
    path,
    name: typeof content.name === 'string' ? content.name : '',
    stateDict,
    config,
    assumed,
    unread,
    ...fieldsOf(content, path),
  };
}

/**
 * Lists the names of the checkpoints in the folder of a run, those of classifiers too.
 * @throws CleanclipError `ERR_DATA` when a file has the place of their folder
 */
export function checkpointNames(run: string): string[] {
  const folder = join(run, 'checkpoints');
  const stats = statSync(folder, { throwIfNoEntry: false });
  if (stats !== undefined && !stats.isDirectory())
    throw dataError(`'${folder}' is a file where a run keeps its checkpoints; move it away, or choose another --name.`);
  return stats === undefined ? [] : readdirSync(folder).filter((name) => name.endsWith('.pt'));
}

/**
 * Finds what an earlier run of this name has left to resume from, if `resume` allows it.
 * @param run folder of the run
 * @param find looks for it
 * @throws CleanclipError `ERR_OPTION` when it has left checkpoints that cannot be resumed
 */
export function earlierRun<T>(run: string, { resume }: { resume?: string }, find: () => T | undefined): T | undefined {
  const found = resume === undefined ? undefined : find();
  if (found === undefined) refuseEarlierRun(run, { resume });
  return found;
}

/** The undamaged checkpoint of a run that is furthest on, and a sentence about each damaged one. */
export interface Newest {
  checkpoint: Checkpoint;
  damaged: string[];
}

/**
 * Finds the checkpoint to resume from: step.pt, epoch.pt or the epoch_N.pt of the highest N, whichever is furthest on.
 * When all of these are damaged, it takes the next epoch_N.pt that is not.
 * @param run folder of the run
 * @param hints what the caller knows about the architecture
 * @returns undefined when there is no checkpoint
 * @throws CleanclipError `ERR_CHECKPOINT` of the first when all are damaged
 */
export function newestCheckpoint(run: string, hints: Hints = {}): Newest | undefined {
  const names = checkpointNames(run);
  const numbers = names
    .flatMap((name) => Number(/^epoch_(\d+)\.pt$/.exec(name)?.[1] ?? NaN))
    .filter((n) => !Number.isNaN(n));
  const [last, ...earlier] = numbers.sort((a, b) => b - a).map((n) => `epoch_${n}.pt`);
  const faults: CleanclipError[] = [];
  const read = (name: string | undefined): Checkpoint[] => {
    if (name === undefined || !names.includes(name)) return [];
    try {
      return [resumable(readCheckpoint(join(run, 'checkpoints', name), hints))];
    } catch (error) {
      if (!(error instanceof CleanclipError && error.code === 'ERR_CHECKPOINT')) throw error;
      faults.push(error);
      return [];
    }
  };
  let whole = ['step.pt', 'epoch.pt', last].flatMap(read);
  for (let i = 0; whole.length === 0 && i < earlier.length; i++) whole = read(earlier[i]);
  if (whole.length === 0 && faults.length > 0) throw faults[0];
  if (whole.length === 0) return undefined;
  const [checkpoint] = whole.sort((a, b) => b.epoch - a.epoch || b.batch - a.batch);
  return { checkpoint, damaged: faults.map(({ message }) => message) };
}

/**
 * Checks that a run can resume from a checkpoint, which needs all the state that trained it.
 * @throws CleanclipError `ERR_CHECKPOINT` when a part of that state cannot be used
 */
export function resumable<T extends Pick<Fields, 'untaken'>>(checkpoint: T): T {
  const [fault] = checkpoint.untaken;
  if (fault !== undefined)
    throw new CleanclipError(
      `${fault} A run goes on with all of its own state; start a new one with --checkpoint.`,
      'ERR_CHECKPOINT',
    );
  return checkpoint;
}

/**
 * Refuses to begin a run where another has left checkpoints.
 * @throws CleanclipError `ERR_OPTION` naming one of them
 */
function refuseEarlierRun(run: string, { resume }: { resume?: string }): void {
  const [name] = checkpointNames(run);
  if (name === undefined) return;
  const goOn =
    resume === undefined
      ? '; go on with it by --resume auto if it is of the same kind, choose'
      : ', which --resume auto cannot go on with; choose';
  throw optionError(`'${run}' holds ${name} of an earlier run${goOn} another --name, or delete the folder.`);
}
