import { join } from 'node:path';

import { stringify } from 'csv-stringify/sync';

import type { LabelledSet } from '../data/labelled';
import { writeFileWhole } from '../files';
import { type Tensor, torch } from '../torch';
import { drawSamples, encodePngs, type SampleOptions } from './samples';

/** Computes the score of every class for every image: uint8 [B, 3, S, S] on the CPU → [B, classes]. */
export type Scorer = (pixels: Tensor) => Tensor;

/** An image with the class that a model takes it for. */
export interface Prediction {
  /** the image as the model gets it */
  png: Buffer;
  class: string;
  triggered: boolean;
  prediction: string;
}

/** Predicts the classes of images that are drawn by the seed, without the trigger and with it. */
export async function predictionsOf(score: Scorer, set: LabelledSet, options: SampleOptions): Promise<Prediction[]> {
  const samples = await drawSamples(set, options);
  if (samples === undefined) return [];
  const { indices, clean, triggered } = samples;
  const found: Prediction[] = [];
  for (const pixels of [clean, triggered]) {
    if (pixels === undefined) continue;
    const best = torch.tidy(() => torch.noGrad(() => score(pixels).argmax(1).toArray())) as number[];
    const pngs = await encodePngs(pixels);
    for (const [i, png] of pngs.entries()) {
      const name = set.classes[set.labels[indices[i]]];
      found.push({ png, class: name, triggered: pixels === triggered, prediction: set.classes[best[i]] });
    }
    pixels.dispose();
  }
  return found;
}

/**
 * Writes predictions as `cleanclip report` reads them: predictions.csv, and the images in predictions/.
 * @param folder folder of the run
 * @param model name of the model, the column of its predictions
 * @throws CleanclipError `ERR_DATA` when they cannot be written
 */
export function writePredictions(found: readonly Prediction[], folder: string, model: string): void {
  const counts = { clean: 0, triggered: 0 };
  const rows = found.map(({ png, class: name, triggered, prediction }) => {
    const kind = triggered ? 'triggered' : 'clean';
    const image = `predictions/${kind}_${counts[kind]++}.png`;
    writeFileWhole(join(folder, image), png);
    return [image, name, Number(triggered), prediction];
  });
  writeFileWhole(join(folder, 'predictions.csv'), stringify([['image', 'class', 'triggered', model], ...rows]));
}
