import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Predicted } from './predict';

/**
 * Writes the pictures and a csv of their predictions, which the report shows.
 *
 * @returns the path of the csv
 */
export function writePredictions(predicted: Predicted, folder: string): string {
  mkdirSync(folder, { recursive: true });
  const rows = (['clean', 'triggered'] as const).flatMap((kind) =>
    predicted[kind].map(({ png, truth, before, after }, i) => {
      const image = `${kind}_${i}.png`;
      writeFileSync(join(folder, image), png);
      return [image, truth.name, Number(kind === 'triggered'), before.name, after.name].join(',');
    }),
  );
  const csv = join(folder, 'predictions.csv');
  writeFileSync(csv, `${['image,class,triggered,poisoned,cleansed', ...rows].join('\n')}\n`);
  return csv;
}
