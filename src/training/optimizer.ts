import type { Clip } from '../clip/model';
import type { OptimizerOptions } from '../options/slices';
import { GradScaler, type GradScalerState } from '../torch/grad_scaler';
import { AdamW } from '../torch/optim';

const noDecay = ['bn', 'ln', 'bias', 'logit_scale'];

/**
 * Makes AdamW over the parameters of a model in the two groups of the reference: first those without weight decay, then
 * the rest.
 */
export function makeOptimizer(clip: Clip, options: OptimizerOptions): AdamW {
  const named = clip.namedParameters();
  const exempt = (name: string): boolean => noDecay.some((part) => name.includes(part));
  return new AdamW(
    [
      { parameters: named.filter(([name]) => exempt(name)).map(([, parameter]) => parameter), weightDecay: 0 },
      {
        parameters: named.filter(([name]) => !exempt(name)).map(([, parameter]) => parameter),
        weightDecay: options.weightDecay,
      },
    ],
    { lr: options.lr, betas: [options.beta1, options.beta2], eps: options.eps },
  );
}

/** Makes the scaler of the loss for a model in float16. Other precisions need none. */
export function makeScaler({ precision, device }: Clip, state: GradScalerState | undefined): GradScaler | undefined {
  if (precision !== 'fp16') return undefined;
  const scaler = new GradScaler({ device });
  if (state?.scale !== undefined) scaler.loadStateDict(state); // the state of a scaler that was switched off is empty
  return scaler;
}
