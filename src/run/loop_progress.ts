import { CleanclipError, dataError, isAbort } from '../errors';
import { type Tensor, torch } from '../torch';
import type { Agreed, LoopBatch, LoopParts } from './loop_parts';
import { ranks } from './ranks';
import type { LoopState } from './state';

/** How far a training loop is, what of it is reported, and what is saved. */
export class LoopProgress<B extends LoopBatch, A extends Agreed, L extends { loss: number }> {
  /** of the last step that is computed */
  readonly state: LoopState;
  private saved: boolean;
  /** reports the last step, whose losses are not read yet */
  private unreported: (() => void) | undefined;
  /** false once the loss or a weight is NaN: the weights must not be saved */
  private sound = true;

  constructor(private readonly parts: LoopParts<B, A, L>) {
    this.state = { ...parts.start };
    this.saved = parts.saved ?? false;
  }

  /** Reports the step before, now that this one is given to the device, and this one too unless that is to wait. */
  stepDone(state: LoopState, readLosses: () => L, rows: number, lr: number): void {
    const { parts } = this;
    this.report();
    Object.assign(this.state, state);
    this.saved = false;
    const at = { ...state, epoch: state.epoch + 1 };
    this.unreported = () => {
      const losses = readLosses();
      if (!Number.isFinite(losses.loss)) throw dataError(parts.diverged(losses.loss, at));
      parts.reporter.stepDone(losses, { ...at, rows, lr });
    };
    if (!parts.late) this.report();
  }

  /**
   * Reports what is not reported yet.
   * @throws CleanclipError `ERR_DATA` when its loss is no number
   */
  report(): void {
    const report = this.unreported;
    this.unreported = undefined;
    this.sound = false;
    report?.();
    this.sound = true;
  }

  /** @param step of the run, of which batches that were left out count too */
  epochDone(step: number): void {
    Object.assign(this.state, { epoch: this.state.epoch + 1, batch: 0, step });
  }

  /** @throws CleanclipError `ERR_DATA` when the loss or a weight is no number: the checkpoint before is kept */
  save(): void {
    this.report();
    this.sound = allFinite(this.parts.weights?.() ?? []);
    if (!this.sound) {
      throw dataError(
        `The weights are not finite after step ${this.state.step}; lower --lr or raise --num_warmup_steps. ` +
          'The checkpoints before it are kept.',
      );
    }
    this.parts.save?.(this.state);
    this.saved = true;
  }

  /** Saves the last step unless that was done. */
  saveUnsaved(): void {
    if (!this.saved) this.save();
  }

  /** Saves the last step unless its loss is NaN, and gives the error that tells of the end. */
  failure(error: unknown): unknown {
    if (!this.sound) return error;
    const { state, parts } = this;
    const stopped = parts.signal?.aborted === true || isAbort(error);
    const advanced = state.step > parts.start.step;
    try {
      this.report();
      if (advanced) this.saveUnsaved();
    } catch (unsaved) {
      return stopped ? unsaved : error;
    }
    // the others stop without rank 0 when it has failed
    const kept = parts.resumed === true || (advanced && (stopped || ranks().rank === 0));
    const canGoOn = kept && parts.save !== undefined;
    parts.warn?.(`Stopped at step ${state.step}${canGoOn ? '; --resume auto goes on from there' : ''}.`);
    if (!stopped) return error;
    const goOn = canGoOn ? '; it is saved, and --resume auto goes on' : '';
    return new CleanclipError(`${parts.name} was stopped at step ${state.step}${goOn}.`, 'ERR_ABORTED', {
      cause: error,
    });
  }
}

const allFinite = (tensors: Tensor[]): boolean =>
  tensors.length === 0 ||
  torch.tidy(() =>
    Boolean(
      torch
        .stack(tensors.map((one) => one.isfinite().all()))
        .all()
        .item(),
    ),
  );
