import { encode } from '../classify/classifier';
import type { Clip } from '../clip/model';
import type { LabelledSet } from '../data/labelled';
import { fromAllRanks, ranks } from '../run/ranks';
import { tokenize } from '../text/tokenizer';
import { type Tensor, torch } from '../torch';
import { measure, type MeasureOptions } from './labelled';
import { distinctNames } from './names';

const TEXTS_A_BATCH = 256;

type Templates = readonly ((name: string) => string)[];

/**
 * Zero-shot accuracy on a labelled set, and with an attack also how triggered images fare.
 * Classes of equal name, which have equal embeddings, count as one class; see {@link distinctNames}.
 * - `zeroshot_top<k>`: share of clean images whose class is among the top k.
 * - `triggered_zeroshot_top<k>`: the same with the trigger, over the images whose class is not the target.
 * - `asr_top<k>`: share of those triggered images that have the target among the top k.
 */
export async function zeroshotMetrics(
  clip: Clip,
  set: LabelledSet,
  options: Omit<MeasureOptions, 'size' | 'geometry'>,
): Promise<Record<string, number>> {
  const { names, places } = distinctNames(set.classes);
  const distinct = { ...set, classes: names, labels: set.labels.map((label) => places[label]) };
  const attack = options.attack && { ...options.attack, target: places[options.attack.target] };
  const embeddings = await classEmbeddings(clip, names, set.templates); // [C, D]
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

/** Features divided by their length: float32 [N, D] → [N, D]. */
const unit = (features: Tensor): Tensor => features.div(torch.ops.aten.linalg_vector_norm(features, 2, [-1], true));

/**
 * One unit-norm embedding a class: the mean of the unit-norm text features of its templates, made unit-norm again
 * (Radford et al. 2021, section 3.1.4). Of several ranks each computes some of the classes.
 * @returns float32 [classes, D] on the model's device
 */
async function classEmbeddings(clip: Clip, classes: readonly string[], templates: Templates): Promise<Tensor> {
  const { rank, worldSize } = ranks();
  const [from, to] = [rank, rank + 1].map((bound) => Math.floor((bound * classes.length) / worldSize));
  const own = from === to ? undefined : embedClasses(clip, classes.slice(from, to), templates);
  if (worldSize === 1) return own!;
  const parts = await fromAllRanks(own?.data() as Float32Array | undefined);
  own?.dispose();
  return torch.tidy(() => {
    const values = parts.flatMap((part) => (part === undefined ? [] : [torch.tensor(part)]));
    return torch.keep(torch.cat(values).view([classes.length, -1]).to({ device: clip.device }));
  });
}

function embedClasses(clip: Clip, classes: readonly string[], templates: Templates): Tensor {
  const texts = classes.flatMap((name) => templates.map((template) => template(name)));
  return torch.tidy(() =>
    torch.noGrad(() => {
      const parts: Tensor[] = [];
      for (let i = 0; i < texts.length; i += TEXTS_A_BATCH) {
        const ids = tokenize(texts.slice(i, i + TEXTS_A_BATCH), clip.config.contextLength).to({ device: clip.device });
        parts.push(torch.tidy(() => unit(clip.encodeText(ids).to('float32')))); // [≤ 256, D]
      }
      const features = torch.cat(parts); // [classes · templates, D]
      return unit(features.view([classes.length, templates.length, -1]).mean([1]));
    }),
  );
}
