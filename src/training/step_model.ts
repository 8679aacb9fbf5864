import type { Clip } from '../clip/model';
import type { Embedder } from '../losses/embed_batch';
import type { Tensor } from '../torch';

/** The model as a step uses it. */
export interface StepModel extends Embedder {
  /** adds gradients to the parameters; with several ranks, the mean of their gradients */
  backward(loss: Tensor): void;
  /** runs backward down to the features, which are leaves; only gradients of features are exchanged */
  lossBackward(loss: Tensor): void;
  /** runs passes whose gradients are only summed, for a later backward to exchange */
  noSync(passes: () => void): void;
}

/** Wraps the model of a process that trains it alone. */
export const alone = (clip: Clip): StepModel => ({
  config: clip.config,
  device: clip.device,
  forward: (ids, pixels, options) => clip.forward(ids, pixels, options),
  backward: (loss) => loss.backward(),
  lossBackward: (loss) => loss.backward(),
  noSync: (passes) => passes(),
});
