import { CleanclipError, dataError, isAbort } from '../errors';
import { type Tensor, torch } from '../torch';
import { BackgroundWrites } from './background_writes';
import type { Agreed, LoopBatch, LoopParts } from './loop_parts';
import { ranks } from './ranks';
import type { LoopState } from './state';

/** The state of a training loop, with what was reported and saved of it. */
export class LoopProgress<B extends LoopBatch, A extends Agreed, L extends { loss: number }> {
  /** state after the last step that was computed */
  readonly state: LoopState;
  readonly writes: BackgroundWrites;
  private saved: boolean;
  /** reports the last step, if its losses are not read yet */
  private unreported: (() => void) | undefined;
  /** false once the loss or a weight is NaN: the weights must not be saved */
  private sound = true;

  constructor(private readonly parts: LoopParts<B, A, L>) {
    this.state = { ...parts.start };
    this.writes = parts.writes ?? new BackgroundWrites();
    this.saved = parts.saved ?? false;
  }

  /**
   * Records a step that was queued on the device. It reports the step before, and this one too unless `late` is true.
   */
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
   * Reports the last step if it is not reported yet.
   * @throws CleanclipError `ERR_DATA` when its loss is not finite
   */
  report(): void {
    const report = this.unreported;
    this.unreported = undefined;
    this.sound = false;
    report?.();
    this.sound = true;
  }

  /** Measures the model within an epoch, if that is due. Its time is left out of what is reported of steps. */
  async measure(): Promise<void> {
    const { measuring, reporter } = this.parts;
    if (!measuring?.isDue(this.state)) return;
    this.report();
    const start = performance.now();
    await measuring.measure(this.state);
    reporter.skip?.(performance.now() - start);
  }

  /**
   * Records the end of an epoch.
   * @param step steps of the run so far, counting batches that were skipped
   */
  epochDone(step: number): void {
    Object.assign(this.state, { epoch: this.state.epoch + 1, batch: 0, step });
  }

  /**
   * Saves the last step. The file may be written while the next steps compute.
   * @throws CleanclipError `ERR_DATA` when its loss or a weight is not finite; earlier checkpoints are kept. It
   * also throws the error of the write before.
   */
  async save(): Promise<void> {
    this.report();
    this.sound = allFinite(this.parts.weights?.() ?? []);
    if (!this.sound) {
      throw dataError(
        `The weights are not finite after step ${this.state.step}; lower --lr or raise --num_warmup_steps. ` +
          'The checkpoints before it are kept.',
      );
    }
    await this.parts.save?.(this.state);
    this.saved = true;
  }

  /** Saves the last step unless it is saved already, and waits until the file is on the disk. */
  async saveUnsaved(): Promise<void> {
    if (!this.saved || this.writes.failed) await this.save();
    await this.writes.done();
  }

  /** Saves the last step unless its loss is not finite, and returns the error to throw. */
  async failure(error: unknown): Promise<unknown> {
    await this.writes.idle();
    if (!this.sound) return error;
    const { state, parts } = this;
    const stopped = parts.signal?.aborted === true || isAbort(error);
    const advanced = state.step > parts.start.step;
    try {
      this.report();
      if (advanced) await this.saveUnsaved();
    } catch (unsaved) {
      return stopped ? unsaved : error;
    }
    // when rank 0 has failed, the other ranks stop without a checkpoint
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
