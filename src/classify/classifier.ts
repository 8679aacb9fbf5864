import type { Clip } from '../clip/model';
import type { StateDict } from '../clip/weights';
import { normalize } from '../images/preprocess';
import { type Tensor, torch } from '../torch';

/**
 * A linear layer with the initial weights of torch.nn.Linear: U(−in^-½, in^-½), drawn by torch's generator, first the
 * weight and then the bias.
 */
export class Linear {
  /** float32 [outputs, inputs] */
  readonly weight: Tensor;
  /** float32 [outputs] */
  readonly bias: Tensor;

  constructor(inputs: number, outputs: number, { seed = 0, device = 'cpu' }: { seed?: number; device?: string } = {}) {
    const generator = new torch.Generator(seed);
    const draw = (shape: number[]): Tensor => {
      const drawn = torch.tidy(() =>
        torch
          .empty(shape)
          .uniform_(-(inputs ** -0.5), inputs ** -0.5, { generator })
          .to({ device }),
      );
      drawn.requiresGrad = true;
      return torch.keep(drawn);
    };
    this.weight = draw([outputs, inputs]);
    this.bias = draw([outputs]);
  }

  /** Computes the outputs: [B, inputs] → float32 [B, outputs]. */
  forward(features: Tensor): Tensor {
    return torch.linear(features.to('float32'), this.weight, this.bias);
  }

  /** Returns the weight and the bias, named as in torch.nn.Linear. */
  namedParameters(): [name: string, parameter: Tensor][] {
    return [
      ['weight', this.weight],
      ['bias', this.bias],
    ];
  }

  /** Frees the memory of all parameters. */
  dispose(): void {
    this.weight.dispose();
    this.bias.dispose();
  }
}

/**
 * A classifier: a linear layer on CLIP's image features, which are not normalised, gives a score for every class of
 * every image.
 */
export class Classifier {
  constructor(
    readonly clip: Clip,
    readonly linear: Linear,
  ) {}

  /** Computes the scores: uint8 [B, 3, S, S] on any device → float32 [B, classes]. */
  logits(pixels: Tensor): Tensor {
    return this.linear.forward(encode(this.clip, pixels));
  }

  /**
   * Returns the trainable tensors under the reference's names and in its order: `linear.…`, then those of CLIP as
   * `model.…`.
   */
  namedParameters(): [name: string, parameter: Tensor][] {
    return [...prefixed('linear.', this.linear.namedParameters()), ...prefixed('model.', this.clip.namedParameters())];
  }

  /** Returns all tensors under the same names. They are the classifier's own tensors, not copies. */
  stateDict(): StateDict {
    return Object.fromEntries([
      ...prefixed('linear.', this.linear.namedParameters()),
      ...prefixed('model.', Object.entries(this.clip.stateDict())),
    ]);
  }
}

/** Computes image features, not normalised: uint8 [B, 3, S, S] on any device → [B, D] on the device of the model. */
export const encode = (clip: Clip, pixels: Tensor): Tensor =>
  clip.encodeImage(normalize(pixels.to({ device: clip.device }), clip.config));

const prefixed = (prefix: string, named: [string, Tensor][]): [string, Tensor][] =>
  named.map(([name, tensor]) => [`${prefix}${name}`, tensor]);
