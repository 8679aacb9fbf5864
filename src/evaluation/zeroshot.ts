import { encode } from '../classify/classifier';
import type { Clip } from '../clip/model';
import type { LabelledSet } from '../data/labelled';
import { fromAllRanks, ranks } from '../run/ranks';
import { tokenize } from '../text/tokenizer';
import { type Tensor, torch } from '../torch';
import { measure, type MeasureOptions } from './labelled';
import { distinctNames } from './names';

const TEXTS_A_BATCH = 256; // at most, but at least those of one class

type Templates = readonly ((name: string) => string)[];

/**
 * Measures the zero-shot accuracy on a labelled set, and with an attack also the results on triggered images.
 * - `zeroshot_top<k>`: share of clean images whose class is among the top k.
 * - `triggered_zeroshot_top<k>`: the same with the trigger, over the images whose class is not the target.
 * - `asr_top<k>`: share of those triggered images that have the target among the top k.
 *
 * Classes of equal name have equal embeddings, so they count as one class; see {@link distinctNames}.
 * @returns the metrics by name, as fractions from 0 to 1
 */
export async function zeroshotMetrics(
  clip: Clip,
  set: LabelledSet,
  options: Omit<MeasureOptions, 'size' | 'geometry'> & { onClasses?: OnClasses },
): Promise<Record<string, number>> {
  const { names, places } = distinctNames(set.classes);
  const distinct = { ...set, classes: names, labels: set.labels.map((label) => places[label]) };
  const attack = options.attack && { ...options.attack, target: places[options.attack.target] };
  const embeddings = await classEmbeddings(clip, names, set.templates, options.onClasses); // [C, D]
  const score = (pixels: Tensor): Tensor => unit(encode(clip, pixels).to('float32')).mm(embeddings.t());
  try {
    const { clean, triggered, success } = await measure(score, distinct, {
      ...options,
      attack,
      size: clip.config.imageSize,
      geometry: clip.config,
    });
    return {
      ...clean.shares('zeroshot'),
      ...(options.attack && triggered.shares('triggered_zeroshot')),
      ...(options.attack?.asr && success.shares('asr')),
    };
  } finally {
    embeddings.dispose();
  }
}

/** Is called with the number of classes that this rank has embedded, and that it has to embed. */
export type OnClasses = (done: number, total: number) => void;

/** Divides features by their length: [N, D] → [N, D]. */
export const unit = (features: Tensor): Tensor =>
  features.div(torch.ops.aten.linalg_vector_norm(features, 2, [-1], true));

/**
 * Computes one unit-norm embedding per class: the mean of the unit-norm text features of its templates, normalised
 * again (Radford et al. 2021, section 3.1.4). With several ranks each computes some of the classes.
 * @param onClasses called after each batch of classes
 * @returns float32 [classes, D] on the model's device
 */
export async function classEmbeddings(
  clip: Clip,
  classes: readonly string[],
  templates: Templates,
  onClasses?: OnClasses,
): Promise<Tensor> {
  const { rank, worldSize } = ranks();
  const [from, to] = [rank, rank + 1].map((bound) => Math.floor((bound * classes.length) / worldSize));
  const own = from === to ? undefined : embedClasses(clip, classes.slice(from, to), templates, onClasses);
  if (worldSize === 1) return own!;
  const parts = await fromAllRanks(own?.data() as Float32Array | undefined);
  own?.dispose();
  return torch.tidy(() => {
    const values = parts.flatMap((part) => (part === undefined ? [] : [torch.tensor(part)]));
    return torch.keep(torch.cat(values).view([classes.length, -1]).to({ device: clip.device }));
  });
}

/** Embeds some classes at a time, so that only their texts and features are in memory. */
function embedClasses(clip: Clip, classes: readonly string[], templates: Templates, onClasses?: OnClasses): Tensor {
  const count = Math.max(1, Math.floor(TEXTS_A_BATCH / templates.length)); // classes of a batch
  const embed = (names: readonly string[]): Tensor => {
    const texts = names.flatMap((name) => templates.map((template) => template(name)));
    const ids = tokenize(texts, clip.config.contextLength).to({ device: clip.device });
    const features = unit(clip.encodeText(ids).to('float32')); // [names · templates, D]
    return unit(features.view([names.length, templates.length, -1]).mean([1]));
  };
  const batches = Array.from({ length: Math.ceil(classes.length / count) }, (_, i) =>
    classes.slice(i * count, (i + 1) * count),
  );
  const embedBatch = (names: readonly string[], i: number): Tensor => {
    const embedded = torch.tidy(() => embed(names));
    onClasses?.(Math.min(classes.length, (i + 1) * count), classes.length);
    return embedded;
  };
  return torch.tidy(() => torch.noGrad(() => torch.cat(batches.map(embedBatch))));
}
