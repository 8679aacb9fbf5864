import { optionError } from '../../errors';
import { addon } from '../addon';
import type { Handle } from '../handle';
import type { Tensor } from '../tensor';
import { blocking, type ProcessGroup, processGroup, runOperation } from './group';
import type { NativeReducer } from './native';

const MIB = 2 ** 20;

const handlesOf = (tensors: Tensor[]): Handle[] => tensors.map(({ handle }) => handle);

/** A model that {@link DistributedDataParallel} trains, as `Clip` is. */
export interface ParallelModule<Inputs extends unknown[], Output> {
  /** the trainable tensors, in one order on all ranks */
  namedParameters(): [name: string, parameter: Tensor][];
  /** parameters and buffers */
  stateDict(): Record<string, Tensor>;
  /** what it computes of the inputs */
  forward(...inputs: Inputs): Output;
}

/** How {@link DistributedDataParallel} exchanges gradients; defaults as torch's. */
export interface ParallelOptions {
  /** MiB of gradients that are exchanged together; default 25, but 1 for the first */
  bucketCapMb?: number;
  /**
   * copy rank 0's buffers (batch-norm statistics) to all before each forward that is followed by an exchange; default
   * true
   */
  broadcastBuffers?: boolean;
  /**
   * every step uses the same parameters the same number of times, some perhaps never or more than once; default false
   */
  staticGraph?: boolean;
}

/**
 * Trains one model on all ranks (torch.nn.parallel.DistributedDataParallel). Each rank computes on its own part of the
 * batch, and backward leaves the mean of all ranks' gradients in every rank's `grad`. Buckets of gradients are
 * exchanged while backward still computes others; a `grad` is a view into its bucket, without a copy. Every parameter
 * must take part in the loss, unless `staticGraph` is set.
 *
 * Forward and backward block this thread, as they do without ranks. Backward blocks until the last bucket has arrived,
 * at most for the group's time limit. Signals, timers and messages are served between steps. Run training in a worker
 * thread, as jobs do, to keep the process responsive.
 * @example
 * const parallel = await torch.distributed.DistributedDataParallel.create(clip);
 * const { imageEmbeds, textEmbeds } = parallel.forward(ids, pixels);
 * parallel.backward(contrastiveLoss(imageEmbeds, textEmbeds, clip.logitScale.exp()));
 * optimizer.step();
 */
export class DistributedDataParallel<Inputs extends unknown[], Output> {
  private synchronising = true;
  private exchangesAtEnd: boolean;

  private constructor(
    readonly module: ParallelModule<Inputs, Output>,
    private readonly group: ProcessGroup,
    private readonly reducer: NativeReducer,
    private readonly buffers: Tensor[],
    private readonly broadcastsBuffers: boolean,
    staticGraph: boolean,
  ) {
    this.exchangesAtEnd = staticGraph;
  }

  /**
   * Checks that all ranks have parameters of the same shapes, and copies rank 0's parameters and buffers to all. Every
   * rank calls it.
   * @throws CleanclipError `ERR_OPTION` for a wrong option or a model without trainable parameters, `ERR_DISTRIBUTED`
   * when models differ or a rank is late
   */
  static async create<Inputs extends unknown[], Output>(
    module: ParallelModule<Inputs, Output>,
    options: ParallelOptions = {},
  ): Promise<DistributedDataParallel<Inputs, Output>> {
    const { bucketCapMb, broadcastBuffers = true, staticGraph = false } = options;
    if (bucketCapMb !== undefined && !(bucketCapMb > 0))
      throw optionError(`bucketCapMb must be a positive number of MiB, but it is ${bucketCapMb}.`);
    const trained = module.namedParameters().filter(([, parameter]) => parameter.requiresGrad);
    if (trained.length === 0)
      throw optionError('DistributedDataParallel needs a model with parameters that require gradients.');
    const parameters = new Set(module.namedParameters().map(([name]) => name));
    const state = Object.entries(module.stateDict());
    const rest = state.filter(([name]) => !trained.some(([own]) => own === name)).map(([, tensor]) => tensor);
    const buffers = state.filter(([name]) => !parameters.has(name)).map(([, tensor]) => tensor);
    const handles = handlesOf(trained.map(([, parameter]) => parameter));

    const group = processGroup();
    await runOperation('DistributedDataParallel', ({ native }) =>
      addon().verifyAndBroadcast(native, handles, handlesOf(rest)),
    );
    const names = trained.map(([name]) => name);
    // As in torch, the first bucket is small by default, so that the exchange begins early.
    const [firstBytes, bytes] =
      bucketCapMb === undefined ? [MIB, 25 * MIB] : [bucketCapMb * MIB, bucketCapMb * MIB].map(Math.ceil);
    const reducer = addon().createReducer(group.native, handles, names, firstBytes, bytes, staticGraph);
    return new DistributedDataParallel(module, group, reducer, buffers, broadcastBuffers, staticGraph);
  }

  /**
   * Runs the model's forward. When gradients are recorded, the next {@link backward} exchanges them.
   * @throws CleanclipError `ERR_DISTRIBUTED` when rank 0's buffers do not come in time
   */
  forward(...inputs: Inputs): Output {
    const exchanges = this.synchronising && addon().gradMode();
    if (exchanges) {
      blocking(this.group, 'forward', () => {
        addon().beforeForward(this.reducer);
        if (this.broadcastsBuffers) this.copyBuffers();
      });
    }
    const output = this.module.forward(...inputs);
    if (exchanges) addon().beforeBackward(this.reducer);
    return output;
  }

  /**
   * Runs the loss's backward and exchanges the gradients. Its error names this rank and the one that is the cause; make
   * a new group after an error. Within {@link noSync} only the loss itself exchanges, such as gradients of gathered
   * rows.
   * @throws CleanclipError `ERR_DISTRIBUTED` when a rank has ended, hangs or does not come in time
   */
  backward(loss: Tensor): void {
    const backward = (): void => {
      loss.backward();
      if (!this.synchronising || !this.exchangesAtEnd) return;
      this.exchangesAtEnd = false;
      addon().afterFirstBackward(this.reducer);
    };
    blocking(this.group, 'backward', backward, this.synchronising);
  }

  /**
   * Runs passes whose gradients only add up on this rank (no_sync). The next backward outside exchanges their sum.
   * @returns what `fn` returns
   */
  noSync<T>(fn: () => T): T {
    const before = this.synchronising;
    this.synchronising = false;
    try {
      return fn();
    } finally {
      this.synchronising = before;
    }
  }

  /**
   * Copies rank 0's buffers (batch-norm statistics) to all ranks, as before a shared evaluation. It blocks this thread.
   * @throws CleanclipError `ERR_DISTRIBUTED` when a rank does not call it in time
   */
  syncBuffers(): void {
    blocking(this.group, 'syncBuffers', () => this.copyBuffers());
  }

  /** Removes the exchange from the model's parameters. */
  dispose(): void {
    addon().disposeReducer(this.reducer);
  }

  private copyBuffers(): void {
    if (this.buffers.length > 0) addon().broadcastCoalesced(this.group.native, handlesOf(this.buffers));
  }
}
