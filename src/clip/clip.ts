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
  /** default 'fp32' */
  precision?: Precision;
  /** seed of the initial weights, when there is nothing to load; default 0 */
  seed?: number;
  /** skip the tokens after a caption's end token: the same features in less time; default true */
  packText?: boolean;
  /**
   * store only the input of each block; backward computes the block once more: less memory, one extra forward pass;
   * default false
   */
  gradCheckpointing?: boolean;
}

/**
 * CLIP (Radford et al. 2021): a ResNet or vision transformer for images and a transformer for captions, in one space.
 */
export class Clip {
  private readonly native: NativeClip;
  private readonly state: StateDict = {};
  private readonly parameters: [string, Tensor][] = [];
  private ranks?: ProcessGroup;

  /** the configuration with every default filled in */
  readonly config: CompleteConfig;
  readonly device: string;
  readonly precision: Precision;
  readonly packText: boolean;

  /** Call `loadClip` instead. With a seed the weights are drawn; without one they must be loaded. */
  constructor(config: ClipConfig, options: ClipOptions = {}) {
    const { device = 'cpu', precision = 'fp32', seed, packText = true, gradCheckpointing = false } = options;
    if (!Object.hasOwn(autocastTo, precision))
      throw optionError(`precision must be 'fp32', 'bf16' or 'fp16', but it is ${show(precision)}.`);
    if (typeof device !== 'string')
      throw optionError(`device must be a text such as 'cpu' or 'cuda:0', but it is ${show(device)}.`);
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
   * Reads an image as this model sees it: resized, cropped or padded, and normalised by its `config`; see `preprocess`.
   * @param source path, bytes of an image file, or uint8 [3, H, W]
   * @returns float32 [3, imageSize, imageSize] on the CPU
   * @throws CleanclipError as `preprocess`
   */
  preprocess(source: string | Uint8Array | Tensor): Promise<Tensor> {
    return preprocess(source, this.config);
  }

  /**
   * Computes image features, not normalised.
   * @param pixels float [B, 3, S, S], normalised as {@link Clip.preprocess} gives them
   * @returns [B, embedDim]
   */
  encodeImage(pixels: Tensor): Tensor {
    this.checkPixels(pixels);
    return this.compute(() => wrap(this.native.encodeImage(pixels.handle)));
  }

  /**
   * Computes text features, not normalised. A feature is taken at each row's highest id, the end token, unless the
   * configuration's `textPool` says otherwise.
   * @param ids int64 [B, ≤ contextLength], as `tokenize` gives them
   * @returns [B, embedDim]
   */
  encodeText(ids: Tensor): Tensor {
    this.checkIds(ids);
    return this.compute(() => wrap(this.native.encodeText(ids.handle, this.packText)));
  }

  /**
   * Computes the embeddings of images and texts, normalised to unit length, in float32.
   * @param ids int64 [B, ≤ contextLength]
   * @param pixels float [B, 3, S, S]
   * @param options `repeated`: in training, leave batch norm's running statistics alone, as another pass moves them;
   * default false
   * @returns two of [B, embedDim]
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

  /** The parameter `logit_scale`, float32 []: the logarithm of the factor on similarities. */
  get logitScale(): Tensor {
    return this.state.logit_scale;
  }

  /** The trainable tensors in the order of Python's `named_parameters()`, which the state of an optimizer follows. */
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
   * Copies a state dict into the model. Its names are OpenAI's, open_clip's or transformers', and may start with
   * `module.` and the like. Dtype and device may differ.
   * @throws CleanclipError `ERR_CHECKPOINT` naming up to ten tensors that are missing, unexpected or of another shape
   */
  loadStateDict(stateDict: StateDict): this {
    checkOptions('A state dict', stateDict);
    copyStateDict(this.state, stateDict);
    return this;
  }

  /** Switches to training: batch norm uses the batch's statistics and updates the running statistics. */
  train(): this {
    this.native.train(true);
    return this;
  }

  /** Switches to evaluation: batch norm uses the running statistics. */
  eval(): this {
    this.native.train(false);
    return this;
  }

  /**
   * Lets batch norm in training use the statistics of all ranks' batches together (torch.nn.SyncBatchNorm), in the
   * process group of this thread. All ranks must then call forward and backward alike; both block until all have
   * called. The model holds the group until it is disposed or this is switched off.
   * @param on default true; false: by this rank's batch alone
   * @throws CleanclipError `ERR_DISTRIBUTED` without a process group
   */
  syncBatchNorm(on = true): this {
    this.ranks = on ? processGroup() : undefined;
    this.native.syncBatchNorm(this.ranks?.native ?? null);
    return this;
  }

  /** Frees the model's tensors now; else the garbage collector frees them at some time. */
  dispose(): void {
    Object.values(this.state).forEach((tensor) => tensor.dispose());
    this.native.dispose();
  }

  /** The same at the end of the block of a `using` declaration. */
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
    const least = textCausal && textPool !== 'last' ? 1 : length; // else what comes after a caption counts
    if (shape.length !== 2 || shape[1] > length || shape[1] < least || !/^int(64|32)$/.test(dtype)) {
      throw optionError(
        `Token ids must be int64 [B, ${length}], but they are ${dtype} [${shape.join(', ')}]; make them with tokenize.`,
      );
    }
  }
}
