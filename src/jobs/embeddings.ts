import type { EmbedResult } from '../embeddings/embed';
import type { RetrievalResult } from '../embeddings/retrieval';
import type { EmbedInput, LinearProbeInput, RetrievalInput, ZeroshotInput } from '../options/inputs.gen';
import type { JobHooks } from '../progress';
import { startJob } from './start';

/**
 * Embeds image-caption pairs, or a labelled set, and writes the embeddings to a safetensors file (`cleanclip embed`).
 * The file has `image_embeddings` and `text_embeddings` of unit length and `un_image_embeddings`, float32; of pairs,
 * rows that name one image share its embedding, and `image_of_text` (int64) gives the image of each caption. Of a
 * labelled set, `labels` (int64) gives the class of each image, and `text_embeddings` has one row a class, the mean
 * over its templates; with `addBackdoor` there is `triggered_image_embeddings`. docs/embeddings.md lists all.
 * @param input `output`, a model (`checkpoint` or `pretrained`) and one set (`trainData`, `evalTestDataDir` or
 * `evalTrainDataDir`) are required
 * @returns the absolute path of the file, and the numbers of its images and texts
 * @throws CleanclipError `ERR_OPTION` for wrong options, before anything starts; `ERR_CHECKPOINT` for a model that
 * cannot be used; `ERR_DATA` for data that cannot be used, or an output that cannot be written; `ERR_ABORTED` when the
 * signal aborts it, which leaves no file
 * @example
 * ```ts
 * const { images, width } = await embed({ checkpoint: 'a.pt', trainData: 'test.csv', output: 'test.safetensors' });
 * ```
 */
export async function embed(input: EmbedInput & JobHooks): Promise<EmbedResult> {
  return startJob('embed', input);
}

/**
 * Measures zero-shot accuracy on stored embeddings of a labelled set (`cleanclip zeroshot`). The numbers are those of
 * {@link evaluate} on the same images.
 * @param input `embeddings`, a file that {@link embed} wrote for a labelled set, is required
 * @returns `zeroshot_top<k>`, and with triggered images in the file also `triggered_zeroshot_top<k>` and `asr_top<k>`;
 * fractions from 0 to 1
 * @throws CleanclipError `ERR_OPTION` for wrong options; `ERR_DATA` or `ERR_CHECKPOINT` for a file that cannot be used
 * @example
 * ```ts
 * const { zeroshot_top1 } = await zeroshot({ embeddings: 'cifar10.safetensors' });
 * ```
 */
export async function zeroshot(input: ZeroshotInput & JobHooks): Promise<Record<string, number>> {
  return startJob('zeroshot', input);
}

/**
 * Trains a linear classifier on stored image features of one labelled set and measures it on those of another
 * (`cleanclip linear-probe`): AdamW, half a cosine, features that are not normalised.
 * @param input `trainEmbeddings` and `testEmbeddings`, files that {@link embed} wrote with one model, are required
 * @returns `linear_probe_accuracy`, a fraction from 0 to 1
 * @throws CleanclipError `ERR_OPTION` for wrong options; `ERR_DATA` or `ERR_CHECKPOINT` for files that cannot be used;
 * `ERR_ABORTED` when the signal aborts it
 * @example
 * ```ts
 * const { linear_probe_accuracy } = await linearProbe({
 *   trainEmbeddings: 'train.safetensors',
 *   testEmbeddings: 'test.safetensors',
 * });
 * ```
 */
export async function linearProbe(input: LinearProbeInput & JobHooks): Promise<{ linear_probe_accuracy: number }> {
  return startJob('linearProbe', input);
}

/**
 * Measures retrieval between images and captions (`cleanclip retrieval`), see {@link retrievalMetrics}. Rows of a csv
 * that name one image are its captions.
 * @param input `inputFile`, csv files, with a model; or `embeddings`, files that {@link embed} wrote for pairs
 * @returns recall in percent, by file
 * @throws CleanclipError `ERR_OPTION` for wrong options, before anything starts; `ERR_CHECKPOINT` for a model that
 * cannot be used; `ERR_DATA` for data that cannot be used; `ERR_ABORTED` when the signal aborts it
 * @example
 * ```ts
 * const [{ txt_r1, img_r1 }] = await retrieval({ checkpoint: 'a.pt', inputFile: ['flickr30k/test.csv'] });
 * ```
 */
export async function retrieval(input: RetrievalInput & JobHooks): Promise<RetrievalResult[]> {
  return startJob('retrieval', input);
}
