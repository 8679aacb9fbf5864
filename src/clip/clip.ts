import { checkOptions, optionError } from '../errors';
import { preprocess } from '../images/preprocess';
import { show } from '../show';
import { type Tensor, torch } from '../torch';
import { addon } from '../torch/addon';
import { blocking, type ProcessGroup, processGroup } from '../torch/distributed/group';
import { wrap } from '../torch/tensor';
import { checkConfig } from './check_config';
import type { ClipConfig, CompleteConfig } from './config';
import { type NativeClip, type NativeClipClass, nativeConfig } from './native_module';
import { copyStateDict, type StateDict } from './weights';

/**
 * The precision that a model computes in: float32, or bfloat16 or float16 autocast over the whole forward pass.
 * Training in float16 needs a `GradScaler`.
 */
export type Precision = 'fp32' | 'bf16' | 'fp16';

const autocastTo = { fp32: 'float32', bf16: 'bfloat16', fp16: 'float16' } as const;

/** Options of {@link Clip} and `loadClip`. */
export interface ClipOptions {
  /** 'cpu' (default), 'cuda' or 'cuda:<n>' */
  device?: string;
  /** precision of the forward pass: 'fp32' (default), 'bf16' or 'fp16' */
  precision?: Precision;
  /**
   * seed of new weights: a {@link Clip} draws them only with a seed, `loadClip` by default with 0; unused when weights
   * are loaded
   */
  seed?: number;
  /**
   * whether to skip the tokens after a caption's end token, which gives the same features in less time; default true
   */
  packText?: boolean;
  /**
   * whether to store only the input of each block and compute the block again in backward (torch.utils.checkpoint):
   * less memory, one extra forward pass; default false
   */
  gradCheckpointing?: boolean;
}

/**
 * CLIP (Radford et al. 2021): a ResNet or vision transformer for images and a transformer for captions, which map both
 * into one space.
 */
export class Clip {
  private readonly native: NativeClip;
  private readonly state: StateDict = {};
  private readonly parameters: [string, Tensor][] = [];
  private ranks?: ProcessGroup;

  /** the configuration with every default filled in */
  readonly config: CompleteConfig;
  /** the torch device of the weights, such as 'cpu' or 'cuda:0' */
  readonly device: string;
  /** the precision of the forward pass */
  readonly precision: Precision;
  /** whether text is encoded without the tokens after the end token */
  readonly packText: boolean;

  /**
   * Makes a model in training mode. Call `loadClip` instead, which also loads weights.
   * @param config sizes and variants of the architecture
   * @param options with `seed` the weights are drawn; without it they are unset until {@link Clip.loadStateDict}
   * @throws CleanclipError `ERR_OPTION` for a wrong configuration or option
   */
  constructor(config: ClipConfig, options: ClipOptions = {}) {
    const { device = 'cpu', precision = 'fp32', seed, packText = true, gradCheckpointing = false } = options;
    if (!Object.hasOwn(autocastTo, precision))
      throw optionError(`precision must be 'fp32', 'bf16' or 'fp16', but it is ${show(precision)}.`);
    if (typeof device !== 'string')
      throw optionError(`device must be a string such as 'cpu' or 'cuda:0', but it is ${show(device)}.`);
    this.device = device;
    this.precision = precision;
    this.packText = packText;
    this.config = checkConfig(config);
    const { ClipModule } = addon() as unknown as { ClipModule: NativeClipClass };
    const generator = seed === undefined ? null : new torch.Generator(seed).native;
    this.native = new ClipModule(nativeConfig(this.config), generator);
    this.native.to(device, 'float32');
    this.native.setCheckpointing(gradCheckpointing);
    for (const [name, handle, isParameter] of this.native.state()) {
      const tensor = torch.keep(wrap(handle));
      this.state[name] = tensor;
      if (isParameter) this.parameters.push([name, tensor]);
    }
  }

  /**
   * Reads an image and prepares it for this model: resized, cropped or padded, and normalised by `config`; see
   * `preprocess`.
   * @param source path, bytes of an image file, or uint8 [3, H, W]
   * @returns float32 [3, imageSize, imageSize] on the CPU
   * @throws CleanclipError as `preprocess`
   */
  preprocess(source: string | Uint8Array | Tensor): Promise<Tensor> {
    return preprocess(source, this.config);
  }

  /**
   * Computes image features, not normalised. Source: `encode_image` of OpenAI's CLIP.
   * @param pixels float32, or another floating dtype, [B, 3, S, S] with S = `imageSize`, normalised as by
   * {@link Clip.preprocess}, on the device of the model
   * @returns [B, embedDim], float32, or the dtype of autocast when `precision` is not 'fp32'
   * @throws CleanclipError `ERR_OPTION` for another shape or dtype
   */
  encodeImage(pixels: Tensor): Tensor {
    this.checkPixels(pixels);
    return this.compute(() => wrap(this.native.encodeImage(pixels.handle)));
  }

  /**
   * Computes text features, not normalised. The feature is taken at the highest id of each row, the end token, unless
   * `textPool` of the configuration chooses another token. Source: `encode_text` of OpenAI's CLIP.
   * @param ids int64 [B, L] from `tokenize`, L ≤ `contextLength`, on the device of the model
   * @returns [B, embedDim], float32, or the dtype of autocast when `precision` is not 'fp32'
   * @throws CleanclipError `ERR_OPTION` for another shape or dtype
   */
  encodeText(ids: Tensor): Tensor {
    this.checkIds(ids);
    return this.compute(() => wrap(this.native.encodeText(ids.handle, this.packText)));
  }

  /**
   * Computes the embeddings of images and texts, normalised to unit length, in float32.
   * @param ids int64 [B, L] from `tokenize`, L ≤ `contextLength`, on the device of the model
   * @param pixels floating [B, 3, S, S] with S = `imageSize`, on the device of the model
   * @param options `repeated`: whether this is a second pass over the same batch, which must not update the running
   * statistics of batch norm; default false
   * @returns two tensors float32 [B, embedDim]
   * @throws CleanclipError `ERR_OPTION` for another shape or dtype
   */
  forward(
    ids: Tensor,
    pixels: Tensor,
    { repeated = false }: { repeated?: boolean } = {},
  ): { imageEmbeds: Tensor; textEmbeds: Tensor } {
    this.checkIds(ids);
    this.checkPixels(pixels);
    const [images, texts] = this.compute(() => this.native.forward(ids.handle, pixels.handle, this.packText, repeated));
    return { imageEmbeds: wrap(images), textEmbeds: wrap(texts) };
  }

  /** The parameter `logit_scale`, float32 []: the natural logarithm of the factor on cosine similarities. */
  get logitScale(): Tensor {
    return this.state.logit_scale;
  }

  /**
   * Returns the trainable tensors in the order of Python's `named_parameters()`, which the state of an optimizer
   * follows.
   */
  namedParameters(): [name: string, parameter: Tensor][] {
    return [...this.parameters];
  }

  /**
   * Returns parameters and batch-norm statistics under OpenAI's names in Python's order. They are the model's own
   * tensors, not copies.
   */
  stateDict(): StateDict {
    return { ...this.state };
  }

  /**
   * Copies a state dict into the model. Its names may be those of OpenAI, open_clip or transformers, with prefixes such
   * as `module.`. Dtype and device may differ. Nothing is copied when it does not fit. Source: `load_state_dict` of
   * torch.nn.Module.
   * @throws CleanclipError `ERR_CHECKPOINT` naming up to ten tensors that are missing, unexpected or of another shape;
   * `ERR_OPTION` when it is not an object
   */
  loadStateDict(stateDict: StateDict): this {
    checkOptions('A state dict', stateDict);
    copyStateDict(this.state, stateDict);
    return this;
  }

  /**
   * Switches to training mode, as after construction: batch norm uses the batch's statistics and updates the running
   * statistics.
   */
  train(): this {
    this.native.train(true);
    return this;
  }

  /** Switches to evaluation mode: batch norm uses the running statistics. */
  eval(): this {
    this.native.train(false);
    return this;
  }

  /**
   * Makes batch norm in training use the statistics of all ranks' batches together (torch.nn.SyncBatchNorm), in the
   * process group of this thread. All ranks must then call forward and backward in the same order; both block until all
   * have called. The model holds the group until it is disposed or this is switched off.
   * @param on true (default) to switch on; false to use the batch of this rank alone
   * @throws CleanclipError `ERR_DISTRIBUTED` without a process group
   */
  syncBatchNorm(on = true): this {
    this.ranks = on ? processGroup() : undefined;
    this.native.syncBatchNorm(this.ranks?.native ?? null);
    return this;
  }

  /** Frees the tensors of the model now. Otherwise the garbage collector frees them at some time. */
  dispose(): void {
    Object.values(this.state).forEach((tensor) => tensor.dispose());
    this.native.dispose();
  }

  /** Disposes the model at the end of the block of a `using` declaration. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  private compute<T>(forward: () => T): T {
    const computed = (): T => {
      if (this.precision === 'fp32') return forward();
      return torch.autocast({ device: this.device.split(':')[0], dtype: autocastTo[this.precision] }, forward);
    };
    return this.ranks === undefined ? computed() : blocking(this.ranks, 'forward', computed);
  }

  private checkPixels(pixels: Tensor): void {
    if (!(pixels instanceof torch.Tensor)) throw optionError(`Pixels must be a tensor, but are ${show(pixels)}.`);
    const { shape, dtype } = pixels;
    const size = this.config.imageSize;
    if (shape.length !== 4 || shape[1] !== 3 || shape[2] !== size || shape[3] !== size || !/^b?float/.test(dtype)) {
      throw optionError(
        `Pixels must be float32 [B, 3, ${size}, ${size}], but they are ${dtype} [${shape.join(', ')}]; ` +
          `preprocess them with clip.preprocess, or {size: ${size}}.`,
      );
    }
  }

  private checkIds(ids: Tensor): void {
    if (!(ids instanceof torch.Tensor)) throw optionError(`Token ids must be a tensor, but are ${show(ids)}.`);
    const { shape, dtype } = ids;
    const length = this.config.contextLength;
    const { textCausal, textPool } = this.config;
    const least = textCausal && textPool !== 'last' ? 1 : length; // otherwise the tokens after a caption matter
    if (shape.length !== 2 || shape[1] > length || shape[1] < least || !/^int(64|32)$/.test(dtype)) {
      throw optionError(
        `Token ids must be int64 [B, ${length}], but they are ${dtype} [${shape.join(', ')}]; make them with tokenize.`,
      );
    }
  }
}
