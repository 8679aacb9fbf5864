import { setImmediate as yieldToEvents } from 'node:timers/promises';

import { CleanclipError } from '../errors';
import type { Agreed, LoopBatch, LoopParts } from './loop_parts';
import { LoopProgress } from './loop_progress';
import type { LoopState } from './state';

/**
 * Runs the loop of every training: pairs, supervised finetuning, and the linear probe. It sets the learning rate of
 * each step, reports its losses (on a GPU one step late), and saves every `saveEverySteps` steps and each epoch. It
 * stops at the end, by the signal, or when the loss is not finite.
 *
 * Ranks stop together, at the same step, when one of them is asked to. All ranks skip a batch of which one rank has too
 * few rows. Whatever else ends the loop, the last step is saved. Files are written while the next steps compute; the
 * loop ends when they are on the disk, and a write that fails ends it.
 * @returns the state at the end
 * @throws CleanclipError `ERR_DATA` when the loss or a weight is not finite, which is not saved; `ERR_ABORTED` by the
 * signal
 */
export async function trainLoop<B extends LoopBatch, A extends Agreed, L extends { loss: number }>(
  parts: LoopParts<B, A, L>,
): Promise<LoopState> {
  const { end, optimizer, reporter, leastRows = 1, saveEverySteps = 0, signal } = parts;
  const ownSignal = parts.agree === undefined ? signal : undefined; // several ranks must agree first
  const progress = new LoopProgress(parts);
  const { state, writes } = progress;
  const save = (): Promise<void> => progress.save();

  try {
    await parts.onStart?.(state);
    while (state.epoch < end.epoch && state.step < end.step) {
      const { epoch } = state;
      const batches = parts.batchesPerEpoch();
      const stepsBefore = state.step - state.batch;
      parts.onEpochStart?.(epoch + 1);
      reporter.startEpoch(batches);

      for await (const batch of parts.batches(epoch + 1, state.batch, ownSignal)) {
        const { index } = batch;
        const agreed = await parts.agree?.(batch, signal?.aborted === true);
        if (agreed?.stop) {
          batch.dispose();
          throw askedToStop();
        }
        if (agreed?.counts.some((count) => count < leastRows)) {
          batch.dispose();
          parts.onSkip?.(index + 1);
          continue;
        }

        optimizer.lr = parts.learningRate({ epoch, batches, index, step: stepsBefore + index });
        reporter.dataReady();
        const readLosses = await parts.step(batch, agreed);
        const rows = agreed?.counts.reduce((sum, count) => sum + count) ?? batch.rows.length;
        batch.dispose();
        progress.stepDone({ epoch, batch: index + 1, step: stepsBefore + index + 1 }, readLosses, rows, optimizer.lr);

        if (saveEverySteps > 0 && state.step % saveEverySteps === 0) await save();
        if (state.step >= end.step) break;
        if (index + 1 < batches) await progress.measure();
        await yieldToEvents();
        writes.check();
        if (ownSignal?.aborted) throw askedToStop();
      }

      progress.report();
      if (state.step >= end.step && state.batch < batches) break;
      progress.epochDone(stepsBefore + batches);
      await parts.onEpoch?.(state, save);
    }
    await progress.saveUnsaved();
    await parts.onEnd?.(state);
    await writes.done();
    return state;
  } catch (error) {
    throw await progress.failure(error);
  }
}

const askedToStop = (): CleanclipError => new CleanclipError('Training was asked to stop.', 'ERR_ABORTED');
