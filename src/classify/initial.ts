import { isDeepStrictEqual } from 'node:util';

import type { OnBytes } from '../clip/download';
import { openFields } from '../clip/infer';
import { DEFAULT_NAME, jobHints } from '../clip/open';
import { pretrainedFile } from '../clip/pretrained';
import { CleanclipError } from '../errors';
import type { InitialOptions } from '../options/slices';
import type { JobHooks } from '../progress';
import { type Checkpoint, readCheckpoint } from '../run/checkpoint';
import { type ClassifierFile, readClassifier } from './file';

/**
 * Reads the weights that a job starts from, by its checked options: those of `checkpoint`, or OpenAI's with
 * `pretrained`. `checkpointFinetune` replaces their image encoder; alone, it gives the CLIP to start from.
 * @returns undefined for new weights
 * @throws CleanclipError `ERR_CHECKPOINT` when a file cannot be read, or the two files differ in architecture
 */
export async function initialWeights(options: InitialOptions, hooks: JobHooks): Promise<Checkpoint | undefined> {
  const { checkpointFinetune } = options;
  const base = await readBase(options, hooks);
  if (checkpointFinetune === undefined) return base;
  const finetuned = readClassifier(checkpointFinetune, options);
  return base === undefined ? untrained(finetuned) : withImageEncoder(base, finetuned);
}

async function readBase(options: InitialOptions, { onProgress, signal }: JobHooks): Promise<Checkpoint | undefined> {
  const { checkpoint, pretrained, modelName = DEFAULT_NAME } = options;
  if (checkpoint !== undefined) return readCheckpoint(checkpoint, jobHints(options));
  if (!pretrained) return undefined;
  const onBytes: OnBytes = (done, total) =>
    onProgress?.({ type: 'progress', done, total, text: `bytes of OpenAI's ${modelName}` });
  return readCheckpoint(await pretrainedFile(modelName, onBytes, signal), jobHints(options));
}

/** Makes a checkpoint at the start of a training from the CLIP of a classifier's file. */
const untrained = ({ path, clip, config, assumed, unread }: ClassifierFile): Checkpoint => ({
  ...{ path, name: '', stateDict: clip, config, assumed, unread },
  ...{ optimizer: undefined, untaken: [], epoch: 0, batch: 0, step: 0 },
});

/** The fields of a configuration that the image encoder depends on, besides its weights. */
const visualFields = openFields.filter((field) => !field.startsWith('text'));

function withImageEncoder(base: Checkpoint, { path, clip, config }: ClassifierFile): Checkpoint {
  const differs = visualFields.find((field) => !isDeepStrictEqual(config[field], base.config[field]));
  if (differs !== undefined) {
    throw new CleanclipError(
      `The image encoder of '${path}' has ${differs} ${String(config[differs])} and ` +
        `'${base.path}' ${String(base.config[differs])}; give files of one architecture.`,
      'ERR_CHECKPOINT',
    );
  }
  const visual = Object.entries(clip).filter(([name]) => name.startsWith('visual.'));
  return { ...base, stateDict: { ...base.stateDict, ...Object.fromEntries(visual) } };
}
