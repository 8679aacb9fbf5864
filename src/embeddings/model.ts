import { resolve } from 'node:path';

import { initialWeights } from '../classify/initial';
import type { Clip } from '../clip/model';
import { chooseDevice, DEFAULT_NAME, makeClip } from '../clip/open';
import type { EmbedOptions, RetrievalOptions } from '../options/embeddings';
import type { JobHooks } from '../progress';

/** A model in eval mode, and what a file of its embeddings says about it. */
export interface EmbeddingModel {
  clip: Clip;
  /** absolute path of its file, or the name of OpenAI's model */
  checkpoint: string;
  /** a sentence that names the parts of its configuration nobody has stated, if any */
  assumed?: string;
}

/** Sends a warning of a job to its caller. */
export const warnTo =
  ({ onProgress }: JobHooks): ((line: string) => void) =>
  (line) =>
    onProgress?.({ type: 'log', level: 'WARNING', line });

/**
 * Opens the model that the options name, and warns of what is assumed about it.
 * @throws CleanclipError as `initialWeights`
 */
export async function openModel(options: EmbedOptions | RetrievalOptions, hooks: JobHooks): Promise<EmbeddingModel> {
  const device = chooseDevice(options);
  const weights = (await initialWeights({ ...options, checkpointFinetune: undefined }, hooks))!;
  const { assumed, unread } = weights;
  for (const warning of [unread, assumed]) if (warning !== undefined) warnTo(hooks)(warning);
  const { pretrained, modelName = DEFAULT_NAME, checkpoint } = options;
  return {
    clip: makeClip({ ...options, seed: 0 }, device, weights).eval(),
    checkpoint: pretrained ? `OpenAI's ${modelName}` : resolve(checkpoint!),
    assumed,
  };
}
