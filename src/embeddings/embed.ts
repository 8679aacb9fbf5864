import { resolve } from 'node:path';

import type { Clip } from '../clip/model';
import { CleanclipError, isAbort } from '../errors';
import { checkWritable } from '../files';
import type { EmbedOptions } from '../options/embeddings';
import type { JobHooks } from '../progress';
import type { Tensor } from '../torch';
import { type EmbeddingsTensors, writeEmbeddings } from './file';
import { embedLabelledSet, type SetEmbeddings } from './labelled';
import { openModel } from './model';
import { embedCaptionedImages } from './pairs';

/** What `embed` wrote. */
export interface EmbedResult {
  /** absolute path of the file */
  output: string;
  /** number of images */
  images: number;
  /** number of captions, or of classes */
  texts: number;
  /** width of the embeddings */
  width: number;
}

/**
 * Embeds the pairs of a csv, or a labelled set, and writes the embeddings to a safetensors file.
 * @throws CleanclipError `ERR_OPTION`, `ERR_CHECKPOINT` or `ERR_DATA` for what cannot be used; `ERR_ABORTED` by the
 * signal
 */
export async function runEmbed(options: EmbedOptions, hooks: JobHooks): Promise<EmbedResult> {
  const output = resolve(options.output!);
  checkWritable(output);
  const { clip, checkpoint, assumed } = await openModel(options, hooks);
  const { trainData, evalTestDataDir, evalTrainDataDir } = options;
  const source = resolve((trainData ?? evalTestDataDir ?? evalTrainDataDir)!);
  let tensors: EmbeddingsTensors | undefined;
  try {
    const set = await embedSet(clip, options, hooks).catch((error: unknown) => {
      if (!isAbort(error)) throw error;
      throw new CleanclipError('Embedding was stopped; nothing was written.', 'ERR_ABORTED');
    });
    ({ tensors } = set);
    writeEmbeddings({ path: output, tensors, metadata: { source, checkpoint, assumed, ...set.metadata } });
    const [images, width] = tensors.image_embeddings.shape;
    return { output, images, texts: tensors.text_embeddings.shape[0], width };
  } finally {
    for (const tensor of Object.values(tensors ?? {}) as Tensor[]) tensor.dispose();
    clip.dispose();
  }
}

/** Embeds the set that the options name, and says what belongs in the header of its file. */
async function embedSet(clip: Clip, options: EmbedOptions, hooks: JobHooks): Promise<SetEmbeddings> {
  if (options.trainData === undefined) return embedLabelledSet(clip, options, hooks);
  const { tensors, images } = await embedCaptionedImages(clip, options.trainData, options, hooks);
  return { tensors, metadata: { images } };
}
