import { existsSync, statSync } from 'node:fs';

import type { OnBytes } from '../clip/download';
import { configs } from '../clip/config';
import { loadClip, type Clip } from '../clip/model';
import { checkReleased, pretrainedFile } from '../clip/pretrained';
import { CleanclipError, optionError } from '../errors';
import type { JobHooks } from '../progress';
import { torch } from '../torch';

/** The model to convert: of a file or folder, or OpenAI's weights of a name, which are downloaded if need be. */
export async function openModel({ input, modelName }: { input: string; modelName?: string }, { onProgress, signal }: JobHooks): Promise<Clip> {
  if (!existsSync(input) && Object.hasOwn(configs, input)) {
    if (modelName !== undefined) throw optionError(`IN is '${input}', the name of a model, which says it all; leave out --model_name, or name a file.`);
    checkReleased(input);
    const onBytes: OnBytes = (done, total) => onProgress?.({ type: 'progress', done, total, text: `bytes of OpenAI's ${input}` });
    return loadClip(input, { pretrained: await pretrainedFile(input, onBytes, signal) });
  }
  refuseClassifier(input);
  return modelName === undefined ? loadClip(input) : loadClip(modelName, { pretrained: input });
}

/** A classifier has a CLIP in it, but what it was trained for is its linear layer, which no other format holds. */
function refuseClassifier(path: string): void {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return; // loadClip says what it makes of it
  torch.tidy(() => {
    const content = torch.load(path) as { state_dict?: object } | null;
    const names = Object.keys(Object(content?.state_dict ?? content) as object).map((name) => name.replace(/^module\./, ''));
    if (!names.includes('linear.weight') || !names.some((name) => name.startsWith('model.'))) return;
    throw new CleanclipError(`'${path}' holds a classifier on a CLIP, whose linear layer no other format has; convert the checkpoint of a CLIP.`, 'ERR_CHECKPOINT');
  });
}
