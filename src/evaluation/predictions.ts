import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { stringify } from 'csv-stringify/sync';

import type { LabelledSet } from '../data/labelled';
import { writeFolderWhole } from '../folders';
import { torch } from '../torch';
import { chooseSamples, encodePngs, loadSamples, type SampleKind, type SampleOptions } from './samples';
import { IMAGES_A_BATCH, type Scorer } from './scorer';

/** An image with the class that a model takes it for. */
export interface Prediction {
  kind: SampleKind;
  /** the image as the model gets it */
  png: Buffer;
  class: string;
  prediction: string;
}

/** Predicts the classes of images that are drawn by the seed, without the trigger and with it. */
export async function predictionsOf(
  score: Scorer,
  set: LabelledSet,
  { count, seed, ...options }: SampleOptions & { count: number; seed: number },
): Promise<Prediction[]> {
  const chosen = chooseSamples(set, count, options.attack, seed);
  const found: Prediction[] = [];
  for (let start = 0; start < chosen.length; start += IMAGES_A_BATCH) {
    const indices = chosen.subarray(start, start + IMAGES_A_BATCH);
    for await (const { kind, pixels } of loadSamples(set, indices, options)) {
      const best = torch.tidy(() => torch.noGrad(() => score(pixels).argmax(1).toArray())) as number[];
      for (const [i, png] of (await encodePngs(pixels)).entries()) {
        const name = set.classes[set.labels[indices[i]]];
        found.push({ kind, png, class: name, prediction: set.classes[best[i]] });
      }
    }
  }
  return found;
}

/**
 * Writes predictions as `cleanclip report` reads them: a folder of the images and predictions.csv, which appears whole
 * and replaces that of an earlier evaluation.
 * @param model name of the model, the column of its predictions
 * @throws CleanclipError `ERR_DATA` when it cannot be written
 */
export async function writePredictions(found: readonly Prediction[], folder: string, model: string): Promise<void> {
  const counts = { clean: 0, triggered: 0 };
  const rows = found.map(({ kind, png, class: name, prediction }) => {
    const image = `${kind}_${counts[kind]++}.png`;
    return { image, png, fields: [image, name, Number(kind === 'triggered'), prediction] };
  });
  const csv = stringify([['image', 'class', 'triggered', model], ...rows.map(({ fields }) => fields)]);
  await writeFolderWhole(
    folder,
    async (temporary) => {
      for (const { image, png } of rows) await writeFile(join(temporary, image), png);
      await writeFile(join(temporary, 'predictions.csv'), csv);
    },
    { replace: true },
  );
}
