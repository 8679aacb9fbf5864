import { labelledBatches } from '../data/image_loader';
import type { LabelledSet } from '../data/labelled';
import { encoderOf } from '../images/encode';
import type { Geometry } from '../images/preprocess_config';
import { Random } from '../random';
import type { PictureSet } from '../run/reporters/reporter';
import { type Tensor, torch } from '../torch';
import { type Attack, withTrigger } from './attack';
import { namesakes } from './names';

/** The most images that reports show of a kind. */
const SHOWN = 4;

/** How images of a set become those of a model. */
export interface SampleOptions {
  attack?: Attack;
  /** side of the model's images, in pixels */
  size: number;
  geometry?: Geometry;
  signal?: AbortSignal;
}

/**
 * Chooses images of a set, of those that the attack is measured on if there is one.
 * @param count the most images
 * @param seed draws them; without it, the first ones are taken
 * @returns their indices, in order
 */
export function chooseSamples(set: LabelledSet, count: number, attack?: Attack, seed?: number): Int32Array {
  const targets = attack === undefined ? [] : namesakes(set.classes, attack.target);
  const all = Array.from(set.labels.keys()).filter((i) => !targets.includes(set.labels[i]));
  const drawn = seed === undefined ? all : new Random(seed, all.length).shuffle(all);
  return Int32Array.from(drawn.slice(0, count)).sort();
}

/** The kinds of samples: images as they are, and with the trigger. */
export type SampleKind = 'clean' | 'triggered';

/**
 * Yields images of a set as a model gets them, and with an attack the same with the trigger: uint8 [N, 3, S, S], which
 * is disposed of afterwards.
 * @param indices one image at least
 */
export async function* loadSamples(
  set: LabelledSet,
  indices: Int32Array,
  { attack, size, geometry, signal }: SampleOptions,
): AsyncGenerator<{ kind: SampleKind; pixels: Tensor }> {
  const images = Array.from(indices, (i) => set.images[i]);
  const loading = { batchSize: images.length, size, numWorkers: 0, strict: true, signal };
  const withPatch = (plain: Tensor): Tensor =>
    torch.tidy(() => withTrigger(plain, indices, [...indices.keys()], attack!));
  let triggered: Tensor | undefined;
  for await (const { pixels, dispose } of labelledBatches(images, { ...loading, geometry })) {
    try {
      yield { kind: 'clean', pixels };
      if (attack !== undefined && !attack.squash) triggered = withPatch(pixels);
    } finally {
      dispose();
    }
  }
  if (attack?.squash) {
    const squashed: Geometry = { ...geometry, resizeMode: 'squash' };
    for await (const { pixels, dispose } of labelledBatches(images, { ...loading, geometry: squashed })) {
      triggered = withPatch(pixels);
      dispose();
    }
  }
  if (triggered === undefined) return;
  try {
    yield { kind: 'triggered', pixels: triggered };
  } finally {
    triggered.dispose();
  }
}

/**
 * Makes pictures of the first images that the attack is measured on, clean and with the trigger, as the model gets
 * them.
 * @param config the size of the model's images, and how images become squares of it
 */
export async function samplesOf(
  set: LabelledSet,
  attack: Attack,
  config: Geometry & { imageSize: number },
  signal?: AbortSignal,
): Promise<PictureSet[]> {
  const size = config.imageSize;
  const indices = chooseSamples(set, SHOWN, attack);
  if (indices.length === 0) return [];
  const captions = Array.from(indices, (i) => set.classes[set.labels[i]]);
  const found: PictureSet[] = [];
  for await (const { kind, pixels } of loadSamples(set, indices, { size, geometry: config, attack, signal })) {
    const pngs = await encodePngs(pixels);
    const pictures = pngs.map((png, i) => ({ png, width: size, height: size, caption: captions[i] }));
    found.push({ name: kind, pictures });
  }
  return found;
}

/** Encodes each image of uint8 [N, 3, S, S] as PNG. */
export const encodePngs = (pixels: Tensor): Promise<Buffer[]> =>
  Promise.all(
    Array.from({ length: pixels.shape[0] }, (_, i) =>
      torch
        .tidy(() => encoderOf(pixels.select(0, i)))
        .png()
        .toBuffer(),
    ),
  );
