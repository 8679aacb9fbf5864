import type { CompleteConfig } from '../clip/config';
import { sizesOf } from '../clip/open';
import { optionError } from '../errors';
import type { TrainOptions } from '../options/train';
import type { Checkpoint, Newest } from '../run/checkpoint';
import type { LoopEnd } from '../run/loop_parts';
import { changeOf, type LoopState, type Order } from '../run/state';
import type { GradScalerState } from '../torch/grad_scaler';

/** What a run starts from, as every rank knows it. */
export interface Found extends LoopState {
  config: CompleteConfig;
  /** what of it nobody has said, in a sentence */
  assumed?: string;
  /** which objects of its file were left unread, in a sentence */
  unread?: string;
  /** the file; none for new weights */
  path?: string;
  hasOptimizer: boolean;
  /** what of it is not taken, or which checkpoints are damaged, in sentences */
  warnings: string[];
  scaler?: GradScalerState;
  order?: Order;
  /** it is this run's own, to go on with */
  resumed: boolean;
}

/** @param earlier where the checkpoint is of this run itself, to go on with */
export function describe(
  options: TrainOptions,
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
 * Where a run starts. In the middle of an epoch only if it has the pairs of that epoch in the same order; else a run of
 * its own does the epoch from its first batch on.
 * @param batches an epoch
 * @throws CleanclipError `ERR_OPTION` when a resumed run would do the rest of an epoch in another order
 */
export function startOf(found: Found, options: TrainOptions, order: Order, batches: number): LoopState {
  const { epoch, batch, step, resumed, path } = found;
  if (!resumed && options.completeFinetune) return { epoch: 0, batch: 0, step: 0 };
  const change = changeOf(found.order, order);
  if (resumed && batch > 0 && change !== undefined) {
    throw optionError(
      `'${path}' is in the middle of an epoch, which can only go on as it began: ${change}; give what it was, ` +
        'or choose another --name.',
    );
  }
  const done = resumed || (found.order !== undefined && change === undefined) ? batch : 0;
  // A resumed run may have lost pairs on the way, so that its epochs were not all of one length.
  return { epoch, batch: done, step: (resumed && change === undefined && step) || epoch * batches + done };
}

/** Where a run ends: at the last epoch or step, whichever comes first. */
export function endOf({ epochs, progressive, stopEpoch, maxSteps }: TrainOptions, batches: number): LoopEnd {
  return {
    epoch: progressive ? Math.min(epochs, stopEpoch) : epochs,
    step: Math.min(epochs * batches, maxSteps ?? Infinity),
  };
}

/** @throws CleanclipError `ERR_OPTION` when a run that begins with a checkpoint is past its end already */
export function checkLeft(
  { path, resumed }: Found,
  start: LoopState,
  end: LoopEnd,
  { progressive, maxSteps }: TrainOptions,
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
