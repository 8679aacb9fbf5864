import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import type { CompleteConfig } from '../clip/config';
import type { OnBytes } from '../clip/download';
import type { Clip } from '../clip/model';
import { DEFAULT_NAME, jobHints, type ModelOptions } from '../clip/open';
import { pretrainedFile } from '../clip/pretrained';
import { type ModelFile, readModel } from '../clip/read_model';
import type { Hints } from '../clip/resolve';
import type { StateDict } from '../clip/weights';
import { CleanclipError, dataError, optionError } from '../errors';
import type { JobHooks } from '../progress';
import { torch } from '../torch';
import type { GradScaler } from '../torch/grad_scaler';
import type { AdamW } from '../torch/optim';
import { OrderedDict } from '../torch/serialization';
import { type Fields, fieldsOf } from './checkpoint_fields';
import type { LoopState, Order } from './state';

/** A checkpoint file as read. */
export interface Checkpoint extends Fields {
  path: string;
  name: string;
  stateDict: StateDict;
  config: CompleteConfig;
  /** what of the configuration nobody has said, in a sentence */
  assumed?: string;
  /** which objects of the file were left unread, in a sentence */
  unread?: string;
}

/**
 * Writes a checkpoint that Python reads too: `{epoch, name, state_dict, optimizer}` as the reference's, and beside them
 * `batch`, `step` and `order`, for resuming within an epoch, the model's `config`, and the state of the `scaler` if
 * there is one.
 */
export function writeCheckpoint(
  path: string,
  name: string,
  clip: Clip,
  optimizer: AdamW,
  { epoch, batch, step }: LoopState,
  { order, scaler }: { order?: Order; scaler?: GradScaler } = {},
): void {
  const stateDict = new OrderedDict(Object.entries(clip.stateDict()));
  const more = { ...(order && { order }), ...(scaler && { scaler: scaler.stateDict() }) };
  torch.save(
    { epoch, name, state_dict: stateDict, optimizer: optimizer.stateDict(), batch, step, config: clip.config, ...more },
    path,
  );
}

/**
 * Reads a checkpoint, or what else {@link readModel} reads.
 * @param hints what the caller says of its architecture
 * @param wanted what to give when there is no such file
 * @throws CleanclipError `ERR_CHECKPOINT`
 */
export function readCheckpoint(
  path: string,
  hints: Hints = {},
  wanted = '--checkpoint the path of a .pt file',
): Checkpoint {
  checkExists(path, wanted);
  return checkpointOf(readModel(path, hints));
}

/** @throws CleanclipError `ERR_CHECKPOINT` when there is nothing at a path; `wanted` says what to give */
export function checkExists(path: string, wanted: string): void {
  if (!existsSync(path))
    throw new CleanclipError(`There is no checkpoint '${path}'; give ${wanted}.`, 'ERR_CHECKPOINT');
}

/** A model's file as a checkpoint. */
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
 * What a job starts from, by checked options: a checkpoint, OpenAI's weights, or undefined for new
 * weights.
 */
export async function readInitial(
  options: InitialOptions,
  { onProgress, signal }: JobHooks,
): Promise<Checkpoint | undefined> {
  const { checkpoint, pretrained, modelName = DEFAULT_NAME } = options;
  if (checkpoint !== undefined) return readCheckpoint(checkpoint, jobHints(options));
  if (!pretrained) return undefined;
  const onBytes: OnBytes = (done, total) =>
    onProgress?.({ type: 'progress', done, total, text: `bytes of OpenAI's ${modelName}` });
  return readCheckpoint(await pretrainedFile(modelName, onBytes, signal), jobHints(options));
}

interface InitialOptions extends Pick<ModelOptions, 'modelName' | 'activation'> {
  checkpoint?: string;
  pretrained: boolean;
}

/**
 * The names of the checkpoints in the folder of a run, those of classifiers too.
 * @throws CleanclipError `ERR_DATA` when their folder is none
 */
export function checkpointNames(run: string): string[] {
  const folder = join(run, 'checkpoints');
  const stats = statSync(folder, { throwIfNoEntry: false });
  if (stats !== undefined && !stats.isDirectory())
    throw dataError(`'${folder}' is a file where a run keeps its checkpoints; move it away, or choose another --name.`);
  return stats === undefined ? [] : readdirSync(folder).filter((name) => name.endsWith('.pt'));
}

/**
 * What an earlier run of this name has left to go on with, if `resume` allows it.
 * @param find looks for it
 * @throws CleanclipError `ERR_OPTION` when it has left something else
 */
export function earlierRun<T>(run: string, { resume }: { resume?: string }, find: () => T | undefined): T | undefined {
  const found = resume === undefined ? undefined : find();
  if (found === undefined) refuseEarlierRun(run, { resume });
  return found;
}

/** The checkpoint of a run's training that is furthest on and whole, and a sentence on each that is damaged. */
export interface Newest {
  checkpoint: Checkpoint;
  damaged: string[];
}

/**
 * Finds the checkpoint to go on with: of the last step, of the last epoch, or of the highest number; where all of these
 * are damaged, the next one that is whole.
 * @param hints what the caller says of its architecture
 * @returns undefined when there is none
 * @throws CleanclipError `ERR_CHECKPOINT` of the first when none is whole
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
 * A checkpoint of a run that goes on: all that trained it is needed.
 * @throws CleanclipError `ERR_CHECKPOINT` when something of it cannot be taken
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
 * @throws CleanclipError `ERR_OPTION`
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
