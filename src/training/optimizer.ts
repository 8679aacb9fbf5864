import type { Clip } from '../clip/model';
import type { TrainOptions } from '../options/train';
import { AdamW } from '../torch/optim';

const noDecay = ['bn', 'ln', 'bias', 'logit_scale'];

/** AdamW over the model's parameters in the reference's two groups: first those without weight decay, then the rest. */
export function makeOptimizer(clip: Clip, options: TrainOptions): AdamW {
  const named = clip.namedParameters();
  const exempt = (name: string): boolean => noDecay.some((part) => name.includes(part));
  return new AdamW(
    [
      { parameters: named.filter(([name]) => exempt(name)).map(([, parameter]) => parameter), weightDecay: 0 },
      { parameters: named.filter(([name]) => !exempt(name)).map(([, parameter]) => parameter), weightDecay: options.weightDecay },
    ],
    { lr: options.lr, betas: [options.beta1, options.beta2], eps: options.eps },
  );
}
