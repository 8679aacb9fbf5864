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
  /** which pairs of all ranks are poisoned, in the order of ranks; only when unlearning */
  isBackdoor: boolean[];
  /** whether some rank was asked to stop */
  stop: boolean;
}

/** The copy that one rank has of a model that several ranks train (`DistributedDataParallel`). */
export class ParallelModel implements StepModel {
  private constructor(
    private readonly clip: Clip,
    private readonly parallel: Parallel,
    private readonly options: ParallelOptions,
  ) {}

  /** Makes the copy of this rank, with the weights of rank 0. Every rank calls it. */
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

  /** Runs the forward pass of the model. The next {@link backward} exchanges the gradients. */
  forward(...inputs: Parameters<Clip['forward']>): ReturnType<Clip['forward']> {
    return this.parallel.forward(...inputs);
  }

  /**
   * Runs backward, and exchanges the gradients of every parameter. So `logitScale` must get a gradient even from a loss
   * that does not use it, such as that of only poisoned pairs.
   */
  backward(loss: Tensor): void {
    this.parallel.backward(loss.add(this.clip.logitScale.mul(0)));
  }

  /** Runs backward down to the features, which are leaves. Only gradients of features are exchanged. */
  lossBackward(loss: Tensor): void {
    this.parallel.noSync(() => this.parallel.backward(loss));
  }

  /** Runs passes whose gradients are only summed on this rank. */
  noSync(passes: () => void): void {
    this.parallel.noSync(passes);
  }

  /** Copies the batch-norm statistics of rank 0 to all ranks, so that all measure the same model. */
  syncBuffers(): void {
    this.parallel.syncBuffers();
  }

  /** Removes the gradient exchange from the parameters of the model. */
  dispose(): void {
    this.parallel.dispose();
  }

  /**
   * Exchanges with the other ranks which part of a batch each has, and whether it was asked to stop.
   * @param isBackdoor which pairs of this rank are poisoned, [B]
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
