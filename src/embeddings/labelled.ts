import type { Clip } from '../clip/model';
import { type LabelledSet, readLabelledSet } from '../data/labelled';
import { type Attack, attackOf, withTrigger } from '../evaluation/attack';
import { encodeSet, type LabelledFeatures } from '../evaluation/linear_probe';
import type { TrainingSet } from '../evaluation/sets';
import { classEmbeddings, unit } from '../evaluation/zeroshot';
import type { EmbedOptions } from '../options/embeddings';
import type { JobHooks } from '../progress';
import { type Tensor, torch } from '../torch';
import type { EmbeddingsMetadata, EmbeddingsTensors } from './file';
import { warnTo } from './model';

/** The embeddings of a labelled set, and what a file of them says. */
export interface SetEmbeddings {
  tensors: EmbeddingsTensors;
  metadata: Pick<EmbeddingsMetadata, 'classes' | 'images' | 'label'>;
}

/**
 * Embeds the images and the class names of a labelled set, and with `addBackdoor` the images with the trigger too.
 * Images that cannot be read are left out with a warning, or refused with `strict`.
 * @throws CleanclipError `ERR_DATA` when the set or an image cannot be used; `ERR_OPTION` when `label` is not a class;
 * `ERR_ABORTED` by the signal
 */
export async function embedLabelledSet(clip: Clip, options: EmbedOptions, hooks: JobHooks): Promise<SetEmbeddings> {
  const { evalTestDataDir, evalTrainDataDir, evalDataType: dataType, addBackdoor, label } = options;
  const split = evalTestDataDir === undefined ? 'train' : 'test';
  const set = await readLabelledSet((evalTestDataDir ?? evalTrainDataDir)!, { dataType, split });
  const attack = addBackdoor ? attackOf({ ...options, asr: true }, set.classes, clip.config.imageSize) : undefined;
  const classes = await classEmbeddings(clip, set.classes, set.templates, (done, total) =>
    hooks.onProgress?.({ type: 'progress', done, total, text: 'classes embedded' }),
  );
  const clean = await encode(clip, set, undefined, options, hooks);
  const triggered = attack && (await encode(clip, set, attack, options, hooks));
  const tensors = torch.tidy(() => {
    const all: EmbeddingsTensors = {
      image_embeddings: unit(clean.features),
      un_image_embeddings: clean.features,
      text_embeddings: classes.to('cpu'),
      image_rows: torch.tensor(clean.rows, { dtype: 'int64' }),
      labels: torch.tensor(clean.labels, { dtype: 'int64' }),
      ...(triggered && { triggered_image_embeddings: unit(triggered.features) }),
    };
    for (const tensor of Object.values(all) as Tensor[]) torch.keep(tensor);
    return all;
  });
  const images = Array.from(clean.rows, (row) => set.images[row]);
  return { tensors, metadata: { classes: set.classes, images, ...(attack && { label }) } };
}

/** Encodes the images of a set, with the trigger of an attack if there is one. */
async function encode(
  clip: Clip,
  set: LabelledSet,
  attack: Attack | undefined,
  { numWorkers, strict }: EmbedOptions,
  hooks: JobHooks,
): Promise<LabelledFeatures> {
  const { images, labels } = set;
  const text = attack === undefined ? 'images embedded' : 'triggered images embedded';
  const given: TrainingSet = { images, labels, ...(attack && { stamp: stampOf(attack) }) };
  return encodeSet(clip, given, {
    numWorkers,
    strict,
    ...(attack?.squash && { geometry: { ...clip.config, resizeMode: 'squash' } }),
    signal: hooks.signal,
    onBadRow: ({ row, reason }) => {
      if (attack === undefined) warnTo(hooks)(`Image ${row + 1} is left out: ${reason}`);
    },
    onBatch: (done) => hooks.onProgress?.({ type: 'progress', done, total: images.length, text }),
  });
}

/** Puts the trigger of an attack on the images of a batch, at the places at which evaluation puts it. */
function stampOf(attack: Attack): TrainingSet['stamp'] {
  return (pixels, indices) =>
    torch.tidy(() => {
      pixels.copy_(withTrigger(pixels, indices, [...indices.keys()], attack));
    });
}
