import { resolve } from 'node:path';

import { dataError } from '../errors';
import { Tensor, torch } from '../torch';
import { loadMetadata } from '../torch/serialization';

/** What a file of embeddings says in words, as the metadata of its header; lists are JSON. */
export interface EmbeddingsMetadata {
  /** absolute path of the csv or the folder that was embedded */
  source: string;
  /** absolute path of the checkpoint, or the name of OpenAI's model */
  checkpoint: string;
  /** what was assumed about the model, if anything */
  assumed?: string;
  /** names of the classes of a labelled set */
  classes?: string[];
  /** paths of the images as the set names them, unless they take more than 4 MiB */
  images?: string[];
  /** target class of the trigger */
  label?: string;
}

/** The tensors of a file of embeddings, on the CPU. M images, N captions or classes, width D. */
export interface EmbeddingsTensors {
  /** unit length, float32 [M, D] */
  image_embeddings: Tensor;
  /** as the model gives them, float32 [M, D] */
  un_image_embeddings: Tensor;
  /** unit length, float32 [N, D]: of captions, or of classes, each the mean over the templates */
  text_embeddings: Tensor;
  /** row of the csv of each image, from 0, or its index in the set, int64 [M] */
  image_rows: Tensor;
  /** pairs: index of each caption's image, int64 [N] */
  image_of_text?: Tensor;
  /** pairs: row of the csv of each caption, from 0, int64 [N] */
  text_rows?: Tensor;
  /** pairs, if any is poisoned: 1 for captions of poisoned rows, uint8 [N] */
  is_backdoor?: Tensor;
  /** labelled sets: class of each image, int64 [M] */
  labels?: Tensor;
  /** labelled sets, with a trigger: images with the trigger, unit length, float32 [M, D] */
  triggered_image_embeddings?: Tensor;
}

/** A file of embeddings. */
export interface Embeddings {
  path: string;
  tensors: EmbeddingsTensors;
  metadata: EmbeddingsMetadata;
}

/** The most bytes of image paths in the header. Readers refuse headers that are too long. */
const MOST_PATH_BYTES = 4 * 2 ** 20;

/**
 * Writes a file of embeddings, which Python's safetensors reads too. It appears whole or not at all.
 * @throws CleanclipError `ERR_CHECKPOINT` when it cannot be written
 */
export function writeEmbeddings({ path, tensors, metadata }: Embeddings): void {
  const { images, ...rest } = metadata;
  const paths = images && JSON.stringify(images);
  const strings = Object.entries({
    ...rest,
    classes: rest.classes && JSON.stringify(rest.classes),
    images: paths !== undefined && paths.length <= MOST_PATH_BYTES ? paths : undefined,
  }).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const stored = Object.entries(tensors).filter(([, tensor]) => tensor !== undefined);
  torch.save(Object.fromEntries(stored), path, { metadata: Object.fromEntries(strings) });
}

/**
 * Reads a file of embeddings.
 * @param need names of tensors that the caller needs beside the three that every file has
 * @param advice how to make a file that has them, for the error
 * @throws CleanclipError `ERR_DATA` when it has not the tensors, or they do not fit; `ERR_CHECKPOINT` when it cannot be
 * read
 */
export function readEmbeddings(path: string, need: (keyof EmbeddingsTensors)[], advice: string): Embeddings {
  const metadata = loadMetadata(path);
  if (metadata === undefined)
    throw dataError(`'${path}' must be a safetensors file of embeddings, but has another format; ${advice}.`);
  const tensors = torch.load(path) as EmbeddingsTensors;
  const missing = (['image_embeddings', 'un_image_embeddings', 'text_embeddings', ...need] as const).find(
    (name) => !(tensors[name] instanceof Tensor),
  );
  if (missing !== undefined) throw dataError(`'${path}' has no tensor ${missing}; ${advice}.`);
  checkShapes(path, tensors);
  const list = (name: 'classes' | 'images'): string[] | undefined => parsed(path, name, metadata[name]);
  return {
    path: resolve(path),
    tensors,
    metadata: { source: '', checkpoint: '', ...metadata, classes: list('classes'), images: list('images') },
  };
}

function parsed(path: string, name: string, text: string | undefined): string[] | undefined {
  if (text === undefined) return undefined;
  try {
    const list: unknown = JSON.parse(text);
    if (Array.isArray(list) && list.every((item) => typeof item === 'string')) return list;
  } catch {
    // the sentence below says it
  }
  throw dataError(`The metadata ${name} of '${path}' must be a JSON list of strings; embed the set again.`);
}

/** The dtype and the dimensions of each tensor; equal letters are equal sizes. */
const layouts: Record<keyof EmbeddingsTensors, [dtype: string, shape: string]> = {
  image_embeddings: ['float32', 'MD'],
  un_image_embeddings: ['float32', 'MD'],
  text_embeddings: ['float32', 'ND'],
  image_rows: ['int64', 'M'],
  image_of_text: ['int64', 'N'],
  text_rows: ['int64', 'N'],
  is_backdoor: ['uint8', 'N'],
  labels: ['int64', 'M'],
  triggered_image_embeddings: ['float32', 'MD'],
};

function checkShapes(path: string, tensors: EmbeddingsTensors): void {
  const sizes: Record<string, number> = {};
  for (const [name, [dtype, letters]] of Object.entries(layouts)) {
    const tensor = tensors[name as keyof EmbeddingsTensors];
    if (tensor === undefined) continue;
    const { shape } = tensor;
    const fits =
      tensor.dtype === dtype &&
      shape.length === letters.length &&
      shape.every((size, i) => size > 0 && size === (sizes[letters[i]] ??= size));
    if (!fits)
      throw dataError(
        `${name} of '${path}' must be ${dtype} [${Array.from(letters, (size) => sizes[size] ?? size).join(', ')}], ` +
          `but is ${tensor.dtype} [${shape.join(', ')}]; embed the set again.`,
      );
  }
}
