import type { CompleteConfig } from '../clip/config';
import { type ModelOptions, sizesOf } from '../clip/open';
import { optionError } from '../errors';
import type { EndOptions } from '../options/slices';
import type { TrainOptions } from '../options/train';
import type { Checkpoint, Newest } from '../run/checkpoint';
import type { LoopEnd } from '../run/loop_parts';
import { changeOf, type LoopState, type Order } from '../run/state';
import type { GradScalerState } from '../torch/grad_scaler';

/** What a run starts from. Every rank gets it. */
export interface Found extends LoopState {
  config: CompleteConfig;
  /** a sentence that names the parts of the configuration nobody has stated, if any */
  assumed?: string;
  /** a sentence that names the objects of the file that were left unread, if any */
  unread?: string;
  /** path of the file; absent for new weights */
  path?: string;
  hasOptimizer: boolean;
  /** sentences about parts that are not used, and about damaged checkpoints */
  warnings: string[];
  scaler?: GradScalerState;
  order?: Order;
  /** whether the run resumes from its own checkpoint */
  resumed: boolean;
}

/**
 * Describes what a run starts from.
 * @param earlier what the run has found of itself, if it resumes
 */
export function describe(
  options: ModelOptions,
  checkpoint: Checkpoint | undefined,
  earlier: Newest | undefined,
): Found {
  const {
    path,
    epoch = 0,
    batch = 0,
    step = 0,
    optimizer,
    scaler,
    order,
    assumed,
    unread,
    untaken = [],
  } = checkpoint ?? {};
  const warnings = [...(earlier?.damaged ?? []), ...untaken];
  return {
    config: sizesOf(options, checkpoint),
    path,
    epoch,
    batch,
    step,
    hasOptimizer: optimizer !== undefined,
    scaler,
    order,
    assumed,
    unread,
    warnings,
    resumed: earlier !== undefined,
  };
}

/**
 * Decides where a run starts. It starts within an epoch only if it has the pairs of that epoch in the same order.
 * Otherwise a run that is not resumed repeats the epoch from its first batch.
 * @param batches batches per epoch
 * @throws CleanclipError `ERR_OPTION` when a resumed run would do the rest of an epoch in another order
 */
export function startOf(
  found: Found,
  { completeFinetune }: Pick<TrainOptions, 'completeFinetune'>,
  order: Order,
  batches: number,
): LoopState {
  const { epoch, batch, step, resumed, path } = found;
  if (!resumed && completeFinetune) return { epoch: 0, batch: 0, step: 0 };
  const change = changeOf(found.order, order);
  if (resumed && batch > 0 && change !== undefined) {
    throw optionError(
      `'${path}' is in the middle of an epoch, which can only go on as it began: ${change}; give what it was, ` +
        'or choose another --name.',
    );
  }
  const done = resumed || (found.order !== undefined && change === undefined) ? batch : 0;
  // A resumed run may have dropped pairs, so its epochs may differ in length.
  return { epoch, batch: done, step: (resumed && change === undefined && step) || epoch * batches + done };
}

/** Returns where a run ends: at the last epoch or step, whichever comes first. */
export function endOf({ epochs, progressive, stopEpoch, maxSteps }: EndOptions, batches: number): LoopEnd {
  return {
    epoch: progressive ? Math.min(epochs, stopEpoch) : epochs,
    step: Math.min(epochs * batches, maxSteps ?? Infinity),
  };
}

/**
 * Checks that something is left to train.
 * @throws CleanclipError `ERR_OPTION` when a run that starts from a checkpoint is already past its end
 */
export function checkLeft(
  { path, resumed }: Found,
  start: LoopState,
  end: LoopEnd,
  { progressive, maxSteps }: EndOptions,
): void {
  if (resumed || (start.epoch < end.epoch && start.step < end.step)) return;
  const limits = [
    '--epochs',
    ...(progressive ? ['--stop_epoch'] : []),
    ...(maxSteps === undefined ? [] : ['--max_steps']),
  ].join(' or ');
  const place = ({ epoch, step }: LoopEnd): string => `epoch ${epoch}, step ${step}`;
  throw optionError(
    `'${path}' is at ${place(start)}, and training ends at ${place(end)}, so nothing is left to train; ` +
      `raise ${limits}, or train its weights from epoch 1 with --complete_finetune.`,
  );
}
