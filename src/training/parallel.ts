import type { Clip } from '../clip/model';
import type { OverRanks } from '../losses';
import type { ParallelOptions } from '../options/slices';
import { ranks } from '../run/ranks';
import { type Tensor, torch } from '../torch';
import type { StepModel } from './step_model';

const { distributed } = torch;

/** What the ranks agree on before they compute a step together. */
export interface JoinedStep extends OverRanks {
  model: ParallelModel;
  /** which of all ranks' pairs are poisoned, by rank; only when unlearning */
  isBackdoor: boolean[];
  /** some rank was asked to stop */
  stop: boolean;
}

/** One rank's copy of a model that several train (`DistributedDataParallel`). */
export class ParallelModel implements StepModel {
  private constructor(
    private readonly clip: Clip,
    private readonly parallel: Parallel,
    private readonly options: ParallelOptions,
  ) {}

  /** Copies rank 0's weights to all. Every rank calls it. */
  static async create(clip: Clip, options: ParallelOptions): Promise<ParallelModel> {
    if (options.syncBatchnorm) clip.syncBatchNorm();
    return new ParallelModel(
      clip,
      await distributed.DistributedDataParallel.create(clip, { bucketCapMb: options.bucketCapMb }),
      options,
    );
  }

  /** The configuration of the model. */
  get config(): Clip['config'] {
    return this.clip.config;
  }

  /** The torch device of the model. */
  get device(): string {
    return this.clip.device;
  }

  /** The model's forward; the next {@link backward} exchanges the gradients. */
  forward(...inputs: Parameters<Clip['forward']>): ReturnType<Clip['forward']> {
    return this.parallel.forward(...inputs);
  }

  /**
   * A loss without the scale of the logits, as of poisoned pairs alone, still sends a gradient for it: the ranks
   * exchange that of every parameter.
   */
  backward(loss: Tensor): void {
    this.parallel.backward(loss.add(this.clip.logitScale.mul(0)));
  }

  /** Runs backward as far as the features, which are leaves; only their gradients are exchanged. */
  lossBackward(loss: Tensor): void {
    this.parallel.noSync(() => this.parallel.backward(loss));
  }

  /** Runs passes whose gradients only add up on this rank. */
  noSync(passes: () => void): void {
    this.parallel.noSync(passes);
  }

  /** Copies rank 0's batch-norm statistics to all, so that all measure the same model. */
  syncBuffers(): void {
    this.parallel.syncBuffers();
  }

  /** Removes the exchange from the model's parameters. */
  dispose(): void {
    this.parallel.dispose();
  }

  /**
   * Tells the other ranks of this one's part of a batch, and hears of theirs.
   * @param isBackdoor of this rank's pairs, [B]
   * @param stop whether this rank was asked to stop
   */
  async agree(isBackdoor: readonly boolean[], stop: boolean): Promise<JoinedStep> {
    const { unlearn, batchSize, gatherWithGrad, localLoss } = this.options;
    const flags = unlearn ? batchSize / ranks().worldSize : 0;
    using own = torch.tensor(
      Int32Array.from([
        isBackdoor.length,
        Number(stop),
        ...Array.from({ length: flags }, (_, i) => Number(isBackdoor[i])),
      ]),
    );
    const all = (await distributed.allGather(own)).map((tensor) => {
      const numbers = Array.from(tensor.data() as Int32Array);
      tensor.dispose();
      return numbers;
    });
    return {
      model: this,
      gatherWithGrad,
      localLoss,
      counts: all.map(([count]) => count),
      isBackdoor: all.flatMap(([count, , ...marks]) => marks.slice(0, count).map(Boolean)),
      stop: all.some(([, stopping]) => stopping === 1),
    };
  }
}

type Parallel = Awaited<
  ReturnType<
    typeof distributed.DistributedDataParallel.create<Parameters<Clip['forward']>, ReturnType<Clip['forward']>>
  >
>;
