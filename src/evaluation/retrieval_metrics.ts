import { checkOptions, optionError } from '../errors';
import { checkInteger } from '../integers';
import { show } from '../show';
import { Tensor, torch } from '../torch';
import { dots, RankCounter } from './rank_counter';

const KS = [1, 5, 10] as const;
/** Similarities that are in memory at once: 64 MiB in float32. */
const BLOCK = { images: 2048, texts: 8192 };

/** What {@link retrievalMetrics} takes. */
export interface RetrievalFeatures {
  /** features of the images, [M, D], of unit length for cosine similarity */
  imageEmbeds: Tensor;
  /** features of the captions, [N, D], likewise */
  textEmbeds: Tensor;
  /** index of each caption's image, [N]; default: caption i belongs to image i, and there are as many */
  imageOfText?: ArrayLike<number>;
  /** 'reference': also return the text recall that the Python code prints, which is too high; default: not */
  compat?: 'reference';
}

/** Recall in percent. The names are those of ALBEF (Li et al. 2021). */
export interface RetrievalMetrics {
  /** images for which a caption of theirs is the most similar of all captions */
  txt_r1: number;
  /** images that have a caption of theirs among the 5 most similar */
  txt_r5: number;
  /** images that have a caption of theirs among the 10 most similar */
  txt_r10: number;
  /** mean of the three for captions */
  txt_r_mean: number;
  /** captions for which their image is the most similar of all images */
  img_r1: number;
  /** captions that have their image among the 5 most similar */
  img_r5: number;
  /** captions that have their image among the 10 most similar */
  img_r10: number;
  /** mean of the three for images */
  img_r_mean: number;
  /** mean of `txt_r_mean` and `img_r_mean` */
  r_mean: number;
  /** with `compat: 'reference'`: `txt_r1` as the Python code prints it */
  reference_txt_r1?: number;
  /** with `compat: 'reference'`: `txt_r5` as the Python code prints it */
  reference_txt_r5?: number;
  /** with `compat: 'reference'`: `txt_r10` as the Python code prints it */
  reference_txt_r10?: number;
}

/**
 * Computes recall at 1, 5 and 10 of retrieval between images and captions, with any number of captions an image.
 *
 * The similarity is the dot product. Ranks are those of a computation in float64. Of equal similarities the lower index
 * comes first. Work is done in blocks: beside the features it takes at most 0.5 GiB. The Python code of CleanCLIP
 * divides the hits of M images by N captions, and counts the N − M others as hits: with five captions an image,
 * recall is 80 + recall / 5.
 * @param features of images and captions, float16, bfloat16, float32 or float64, on one device
 * @returns percentages
 * @throws CleanclipError `ERR_OPTION` when shapes do not fit, an index is not that of an image, an image has no caption
 * or a feature is not finite
 * @example
 * ```ts
 * const { txt_r1, img_r1 } = retrievalMetrics({ imageEmbeds, textEmbeds, imageOfText: [0, 0, 0, 1, 1] });
 * ```
 */
export function retrievalMetrics(features: RetrievalFeatures): RetrievalMetrics {
  checkOptions('The argument of retrievalMetrics', features);
  return torch.tidy(() => torch.noGrad(() => metricsOf(features)));
}

/** Computes the metrics in blocks of a size, in images and texts. */
export function metricsOf(
  { imageEmbeds, textEmbeds, imageOfText, compat }: RetrievalFeatures,
  block = BLOCK,
): RetrievalMetrics {
  const [images, texts] = checked(imageEmbeds, textEmbeds);
  const [M, N] = [images.shape[0], texts.shape[0]];
  const owners = ownersOf(imageOfText, M, N);
  const owner = torch.tensor(Int32Array.from(owners), { dtype: 'int64', device: images.device }); // [N]
  const best = bestTexts(images, texts, owners, owner);
  const byImage = new RankCounter(images, texts, best);
  const byText = new RankCounter(texts, images, owner);
  for (let image = 0; image < M; image += block.images) {
    const some = images.narrow(0, image, Math.min(block.images, M - image));
    for (let text = 0; text < N; text += block.texts) {
      torch.tidy(() => {
        const similarities = some.mm(texts.narrow(0, text, Math.min(block.texts, N - text)).t());
        byImage.add(similarities, image, text);
        byText.add(similarities.t(), text, image);
      });
    }
  }
  const [txt, img] = [byImage, byText].map((counter) => KS.map((k) => counter.recall(k)));
  const [txtMean, imgMean] = [txt, img].map((recalls) => recalls.reduce((sum, recall) => sum + recall) / KS.length);
  const printed = txt.map((recall) => (100 * (N - M) + recall * M) / N);
  return {
    ...{ txt_r1: txt[0], txt_r5: txt[1], txt_r10: txt[2], txt_r_mean: txtMean },
    ...{ img_r1: img[0], img_r5: img[1], img_r10: img[2], img_r_mean: imgMean },
    r_mean: (txtMean + imgMean) / 2,
    ...(compat === 'reference' && {
      ...{ reference_txt_r1: printed[0], reference_txt_r5: printed[1], reference_txt_r10: printed[2] },
    }),
  };
}

/** Checks the features, and brings them to a dtype in which matrices are multiplied exactly enough. */
function checked(imageEmbeds: Tensor, textEmbeds: Tensor): [images: Tensor, texts: Tensor] {
  const given = { imageEmbeds, textEmbeds };
  for (const [name, tensor] of Object.entries(given)) {
    if (!(tensor instanceof Tensor) || tensor.shape.length !== 2 || !/^b?float\d/.test(tensor.dtype))
      throw optionError(`${name} must be a floating-point tensor [N, D] of features, but is ${show(tensor)}.`);
    if (tensor.shape[0] === 0) throw optionError(`${name} has no rows: expected the features of at least one.`);
    if (!tensor.aminmax().every((end) => Number.isFinite(end.item())))
      throw optionError(`${name} has values that are not finite; measure another checkpoint.`);
  }
  if (imageEmbeds.shape[1] !== textEmbeds.shape[1])
    throw optionError(
      `imageEmbeds and textEmbeds must have one width, but have ${imageEmbeds.shape[1]} and ${textEmbeds.shape[1]}.`,
    );
  const dtype = imageEmbeds.dtype === 'float64' || textEmbeds.dtype === 'float64' ? 'float64' : 'float32';
  return [imageEmbeds.to(dtype), textEmbeds.to(dtype)];
}

/** Checks the index of each caption's image. */
function ownersOf(given: ArrayLike<number> | undefined, images: number, texts: number): ArrayLike<number> {
  if (given === undefined && images !== texts)
    throw optionError(
      `imageOfText is needed, the index of each caption's image, for there are ${images} images and ${texts} captions.`,
    );
  const owners = given ?? Int32Array.from({ length: texts }, (_, i) => i);
  if (owners.length !== texts)
    throw optionError(`imageOfText must have an index for each of the ${texts} captions, but has ${owners.length}.`);
  const captions = new Uint8Array(images);
  for (let text = 0; text < texts; text++) {
    checkInteger(`imageOfText[${text}]`, owners[text], { least: 0, most: images - 1 });
    captions[owners[text]] = 1;
  }
  const bare = captions.indexOf(0);
  if (bare >= 0) throw optionError(`Image ${bare} has no caption in imageOfText; leave out images without captions.`);
  return owners;
}

/** Finds the most similar of each image's own captions, int64 [M]; of equal ones the first. */
function bestTexts(images: Tensor, texts: Tensor, owners: ArrayLike<number>, owner: Tensor): Tensor {
  const all = torch.arange(texts.shape[0], { dtype: 'int64', device: texts.device });
  const scores = dots(texts, images, all, owner).data() as Float64Array;
  const best = new Int32Array(images.shape[0]).fill(-1);
  scores.forEach((score, text) => {
    const image = owners[text];
    if (best[image] < 0 || score > scores[best[image]]) best[image] = text;
  });
  return torch.tensor(best, { dtype: 'int64', device: images.device });
}
