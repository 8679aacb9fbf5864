import sharp from 'sharp';

import { labelledBatches } from '../data/image_loader';
import type { LabelledSet } from '../data/labelled';
import type { Geometry } from '../images/preprocess_config';
import type { Picture, PictureSet } from '../run/reporters/reporter';
import { type Tensor, torch } from '../torch';
import type { Attack } from './attack';
import { withTrigger } from './labelled';
import { namesakes } from './names';

/** The most images to show of a kind. */
const SHOWN = 4;

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
  const targets = namesakes(set.classes, attack.target);
  const chosen = Array.from(set.labels.keys())
    .filter((i) => !targets.includes(set.labels[i]))
    .slice(0, SHOWN);
  if (chosen.length === 0) return [];
  const load = (geometry: Geometry, change: (pixels: Tensor) => Tensor): Promise<Picture[]> =>
    picturesOf(set, chosen, { size: config.imageSize, geometry, signal }, change);
  const squashed: Geometry = attack.squash ? { ...config, resizeMode: 'squash' } : config;
  const rows = chosen.map((_, row) => row);
  return [
    { name: 'clean', pictures: await load(config, (pixels) => pixels) },
    {
      name: 'triggered',
      pictures: await load(squashed, (pixels) => withTrigger(pixels, Int32Array.from(chosen), rows, attack)),
    },
  ];
}

async function picturesOf(
  set: LabelledSet,
  chosen: number[],
  options: { size: number; geometry: Geometry; signal?: AbortSignal },
  change: (pixels: Tensor) => Tensor,
): Promise<Picture[]> {
  const images = chosen.map((i) => set.images[i]);
  const { size } = options;
  const found: Picture[] = [];
  for await (const { pixels, dispose } of labelledBatches(images, {
    ...{ ...options, batchSize: images.length, numWorkers: 0, strict: true },
  })) {
    const bytes = torch.tidy(() => change(pixels).permute([0, 2, 3, 1]).contiguous().data()) as Uint8Array;
    dispose();
    for (const [row, i] of chosen.entries()) {
      const raw = bytes.subarray(row * size * size * 3, (row + 1) * size * size * 3);
      const png = await sharp(raw, { raw: { width: size, height: size, channels: 3 } })
        .png()
        .toBuffer();
      found.push({ png, width: size, height: size, caption: set.classes[set.labels[i]] });
    }
  }
  return found;
}
