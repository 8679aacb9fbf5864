import sharp from 'sharp';

import { labelledBatches } from '../data/image_loader';
import type { LabelledSet } from '../data/labelled';
import type { Geometry } from '../images/preprocess_config';
import { Random } from '../random';
import type { PictureSet } from '../run/reporters/reporter';
import { type Tensor, torch } from '../torch';
import { type Attack, withTrigger } from './attack';
import { namesakes } from './names';

/** The most images that reports show of a kind. */
const SHOWN = 4;

/** Images of a labelled set as a model gets them. The caller disposes of the tensors. */
export interface Samples {
  /** indices of the images in the set */
  indices: Int32Array;
  /** uint8 [N, 3, S, S] */
  clean: Tensor;
  /** the same with the trigger, if there is an attack */
  triggered?: Tensor;
}

/** Which images to draw, and how they become squares. */
export interface SampleOptions {
  /** the most images to draw */
  count: number;
  /** draws the images; without it, the first ones are taken */
  seed?: number;
  attack?: Attack;
  /** side of the model's images, in pixels */
  size: number;
  geometry?: Geometry;
  signal?: AbortSignal;
}

/**
 * Draws images of a set, of those that the attack is measured on if there is one.
 * @returns undefined when there is none
 */
export async function drawSamples(set: LabelledSet, options: SampleOptions): Promise<Samples | undefined> {
  const { count, seed, attack, size, geometry, signal } = options;
  const targets = attack === undefined ? [] : namesakes(set.classes, attack.target);
  const all = Array.from(set.labels.keys()).filter((i) => !targets.includes(set.labels[i]));
  const drawn = seed === undefined ? all : new Random(seed, all.length).shuffle(all);
  const indices = Int32Array.from(drawn.slice(0, count)).sort();
  if (indices.length === 0) return undefined;
  const load = async (geometry?: Geometry): Promise<Tensor> => {
    const images = Array.from(indices, (i) => set.images[i]);
    const options = { batchSize: images.length, size, geometry, numWorkers: 0, strict: true, signal };
    for await (const { pixels } of labelledBatches(images, options)) return pixels;
    throw new Error('a set of images has one batch at least');
  };
  const clean = await load(geometry);
  if (attack === undefined) return { indices, clean };
  const plain = attack.squash ? await load({ ...geometry, resizeMode: 'squash' }) : clean;
  const triggered = torch.tidy(() => withTrigger(plain, indices, [...indices.keys()], attack));
  if (plain !== clean) plain.dispose();
  return { indices, clean, triggered };
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
  const samples = await drawSamples(set, { count: SHOWN, attack, size, geometry: config, signal });
  if (samples === undefined) return [];
  const { indices, clean, triggered } = samples;
  const show = async (name: string, pixels: Tensor): Promise<PictureSet> => {
    const pngs = await encodePngs(pixels);
    pixels.dispose();
    const captions = Array.from(indices, (i) => set.classes[set.labels[i]]);
    return { name, pictures: pngs.map((png, i) => ({ png, width: size, height: size, caption: captions[i] })) };
  };
  return [await show('clean', clean), await show('triggered', triggered!)];
}

/** Encodes each image of uint8 [N, 3, S, S] as PNG. */
export async function encodePngs(pixels: Tensor): Promise<Buffer[]> {
  const [count, , height, width] = pixels.shape;
  const bytes = torch.tidy(() => pixels.permute([0, 2, 3, 1]).contiguous().data()) as Uint8Array;
  const length = bytes.length / count;
  return Promise.all(
    Array.from({ length: count }, (_, i) =>
      sharp(bytes.subarray(i * length, (i + 1) * length), { raw: { width, height, channels: 3 } })
        .png()
        .toBuffer(),
    ),
  );
}
