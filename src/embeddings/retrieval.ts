import { basename } from 'node:path';

import { type RetrievalMetrics, retrievalMetrics } from '../evaluation/retrieval_metrics';
import type { RetrievalOptions } from '../options/embeddings';
import type { JobHooks } from '../progress';
import type { Tensor } from '../torch';
import { type EmbeddingsTensors, readEmbeddings } from './file';
import { openModel } from './model';
import { embedCaptionedImages } from './pairs';

/** The recall on one file of pairs, in percent. */
export interface RetrievalResult extends RetrievalMetrics {
  /** the csv, or the file of embeddings, as it was given */
  file: string;
  /** number of images */
  images: number;
  /** number of captions */
  texts: number;
}

/**
 * Measures retrieval between images and captions on some files, each by itself: csv files of pairs, which the model
 * embeds, or stored embeddings.
 * @throws CleanclipError `ERR_CHECKPOINT` or `ERR_DATA` for a file that cannot be used; `ERR_ABORTED` by the signal
 */
export async function runRetrieval(options: RetrievalOptions, hooks: JobHooks): Promise<RetrievalResult[]> {
  const { inputFile = [], embeddings = [], compat } = options;
  const results: RetrievalResult[] = [];
  const measure = (file: string, tensors: EmbeddingsTensors): void => {
    const { image_embeddings: imageEmbeds, text_embeddings: textEmbeds, image_of_text: owners } = tensors;
    const imageOfText = Int32Array.from(owners!.data() as BigInt64Array, Number);
    const [images, texts] = [imageEmbeds.shape[0], textEmbeds.shape[0]];
    results.push({ file, images, texts, ...retrievalMetrics({ imageEmbeds, textEmbeds, imageOfText, compat }) });
    hooks.onProgress?.({ type: 'progress', done: results.length, total: files.length, text: basename(file) });
  };
  const files = [...inputFile, ...embeddings];
  for (const file of embeddings)
    measure(file, readEmbeddings(file, ['image_of_text'], 'make it with cleanclip embed --train_data').tensors);
  if (inputFile.length === 0) return results;
  const { clip } = await openModel(options, hooks);
  for (const file of inputFile) {
    const { tensors } = await embedCaptionedImages(clip, file, options, hooks);
    measure(file, tensors);
    for (const tensor of Object.values(tensors) as Tensor[]) tensor.dispose();
  }
  return results;
}
