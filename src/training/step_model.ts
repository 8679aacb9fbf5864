import type { Clip } from '../clip/model';
import type { Embedder } from '../losses/embed_batch';
import type { Tensor } from '../torch';

/** The model as a step uses it. */
export interface StepModel extends Embedder {
  /** leaves gradients in the parameters: over several ranks, their mean */
  backward(loss: Tensor): void;
  /** the same as far as the features, which are leaves: nothing is exchanged but their gradients */
  lossBackward(loss: Tensor): void;
  /** runs passes whose gradients are only added up, for a later backward to exchange */
  noSync(passes: () => void): void;
}

/** The model of a process that trains it alone. */
export const alone = (clip: Clip): StepModel => ({
  config: clip.config,
  device: clip.device,
  forward: (ids, pixels, options) => clip.forward(ids, pixels, options),
  backward: (loss) => loss.backward(),
  lossBackward: (loss) => loss.backward(),
  noSync: (passes) => passes(),
});
