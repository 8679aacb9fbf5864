import { existsSync } from 'node:fs';

import { Clip } from '../clip/clip';
import type { OnBytes } from '../clip/download';
import { configs } from '../clip/named';
import { configOfModelName, hintsOf } from '../clip/names';
import { checkReleased, pretrainedFile } from '../clip/pretrained';
import { readModel } from '../clip/read_model';
import type { Activation } from '../clip/resolve';
import { CleanclipError, optionError } from '../errors';
import type { JobHooks } from '../progress';
import { torch } from '../torch';

/** The options that choose the model to convert. */
export interface ModelSource {
  /** a file or folder of a CLIP, or the name of one of OpenAI's models, for its released weights */
  input: string;
  /** name of the architecture, where the file does not say it */
  modelName?: string;
  /** activation of the model, where the file does not say it */
  activation?: Activation;
}

/**
 * Opens the model to convert. It warns of parts of the architecture that had to be assumed, and of objects left unread.
 * @throws CleanclipError `ERR_OPTION` for an input that does not exist or does not go with the model name;
 * `ERR_CHECKPOINT` as `readModel`, and for the file of a classifier
 */
export async function openModel({ input, modelName, activation }: ModelSource, hooks: JobHooks): Promise<Clip> {
  const released = !existsSync(input) && Object.hasOwn(configs, input);
  if (released && modelName !== undefined)
    throw optionError(
      `IN is '${input}', the name of a model, which already says the architecture; leave out --model_name, or ` +
        'name a file.',
    );
  const name = released ? input : modelName;
  const hints = name === undefined ? { activation } : hintsOf(name, configOfModelName(name), activation);
  const path = released ? await releasedFile(input, hooks) : input;
  if (!existsSync(path))
    throw optionError(
      `IN must be a file or folder of a CLIP, or the name of one of OpenAI's models, but there is no '${path}'.`,
    );
  return torch.tidy(() => {
    const { linear, config, stateDict, assumed, unread } = readModel(path, hints, true);
    if (Object.keys(linear).length > 0) {
      throw new CleanclipError(
        `'${path}' holds a classifier on a CLIP, whose linear layer no other format has; convert the checkpoint ` +
          'of a CLIP.',
        'ERR_CHECKPOINT',
      );
    }
    for (const warning of [assumed, unread])
      if (warning !== undefined) hooks.onProgress?.({ type: 'log', level: 'WARNING', line: `WARNING: ${warning}` });
    return new Clip(config).loadStateDict(stateDict);
  });
}

function releasedFile(name: string, { onProgress, signal }: JobHooks): Promise<string> {
  checkReleased(name);
  const onBytes: OnBytes = (done, total) =>
    onProgress?.({ type: 'progress', done, total, text: `bytes of OpenAI's ${name}` });
  return pretrainedFile(name, onBytes, signal);
}
