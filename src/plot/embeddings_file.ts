import { basename } from 'node:path';

import { readEmbeddings } from '../embeddings/file';
import { dataError, shown } from '../errors';
import { type Tensor, torch } from '../torch';

/** What pictures need of a file of embeddings. The caller disposes of its tensors. */
export interface EmbeddingsFile {
  path: string;
  /** unit-norm embeddings of the images, float32 [M, D] */
  images: Tensor;
  /** those of the same images with the trigger, float32 [M, D] */
  triggered?: Tensor;
  /** pairs: those of the first caption of each image, float32 [M, D] */
  texts?: Tensor;
  /** labelled sets: index of the class of each image */
  labels?: number[];
  /** names of the classes */
  classes?: string[];
  /** pairs: whether any caption of each image is of a poisoned row */
  backdoor?: boolean[];
  /** paths of the images */
  paths?: string[];
  /** row of the csv, or index in the set, of each image */
  rows: number[];
  /** place of the image of each row of the csv */
  placeOfRow: ReadonlyMap<number, number>;
}

/**
 * Reads a file of embeddings for a picture.
 * @throws CleanclipError `ERR_DATA` when it is no such file, or an embedding is not finite; `ERR_CHECKPOINT` when it is
 * damaged
 */
export function openEmbeddings(path: string): EmbeddingsFile {
  const { tensors, metadata } = readEmbeddings(path, ['image_rows'], 'make it with cleanclip embed');
  const { image_embeddings: images, text_embeddings, triggered_image_embeddings: triggered, labels } = tensors;
  const [count, width] = images.shape;
  if (count === 0 || width < 2)
    throw dataError(`A picture needs embeddings of width 2 at least, but '${shown(path)}' has ${count} of ${width}.`);
  const rows = integersOf(tensors.image_rows);
  const imageOfText = tensors.image_of_text && integersOf(tensors.image_of_text);
  const textRows = tensors.text_rows && integersOf(tensors.text_rows);
  const poisoned = tensors.is_backdoor && integersOf(tensors.is_backdoor);
  if ([...(imageOfText ?? [])].some((place) => !(place >= 0 && place < count)))
    throw dataError(`image_of_text of '${shown(path)}' names images that the file lacks; embed the pairs again.`);
  const first = new Map((imageOfText ?? []).map((image, text) => [image, text] as const).reverse());
  const texts = first.size === count && imageOfText !== undefined && labels === undefined;
  const backdoor = new Set(imageOfText?.filter((_, text) => poisoned?.[text] === 1));
  const file: EmbeddingsFile = {
    path,
    images,
    triggered,
    texts: texts
      ? pick(
          text_embeddings,
          Array.from(rows, (_, image) => first.get(image)!),
        )
      : undefined,
    labels: labels && integersOf(labels),
    classes: metadata.classes,
    backdoor: poisoned && rows.map((_, image) => backdoor.has(image)),
    paths: metadata.images,
    rows,
    placeOfRow: new Map([
      ...rows.map((row, image) => [row, image] as const),
      ...(textRows ?? []).map((row, text) => [row, imageOfText?.[text] ?? 0] as const),
    ]),
  };
  checkFinite(file);
  return file;
}

/** Takes some rows of a tensor: [N, D] → [rows, D]. */
export const pick = (tensor: Tensor, rows: readonly number[]): Tensor =>
  torch.tidy(() => torch.keep(tensor.index_select(0, torch.tensor([...rows], { dtype: 'int64' }))));

const integersOf = (tensor: Tensor): number[] =>
  torch.tidy(() => Array.from(tensor.to('float64').contiguous().data() as Float64Array));

function checkFinite({ path, images, triggered, texts, rows }: EmbeddingsFile): void {
  for (const tensor of [images, triggered, texts]) {
    if (tensor === undefined) continue;
    const finite = torch.tidy(() => integersOf(tensor.isfinite().all([1])));
    const at = finite.indexOf(0);
    if (at >= 0)
      throw dataError(`The embeddings of row ${rows[at]} in '${shown(path)}' are not finite; embed it again.`);
  }
}

/** The name of a file without its ending: the title of its picture. */
export const titleOf = (path: string): string => basename(path).replace(/\.safetensors$/, '');
