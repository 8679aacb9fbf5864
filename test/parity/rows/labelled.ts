import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { train } from '../../../src/jobs';
import { classes, drawShapes } from '../../support/pairs';

/** Drawings of each class. */
export const COPIES = 20;

/** A labelled folder of drawings, and a model trained on them. */
export interface Trained {
  folder: string;
  checkpoint: string;
  /** options of an evaluation */
  run: { logs: string; numWorkers: number; precision: 'fp32' };
}

/** Lets `measure` use a model trained on drawings whose folder is a labelled set too. */
export async function withTrained<T>(measure: (trained: Trained) => Promise<T>): Promise<T> {
  const folder = await drawShapes(COPIES);
  try {
    label(folder);
    const run = { logs: join(folder, 'logs'), numWorkers: 0, precision: 'fp32' } as const; // Python computes in it
    const { checkpoint } = await train({
      ...run,
      name: 'model',
      trainData: join(folder, 'train.csv'),
      modelName: join(folder, 'model.json'),
      batchSize: 12,
      epochs: 3,
      lr: 2e-3,
      numWarmupSteps: 5,
    });
    return await measure({ folder, checkpoint, run });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Makes the drawings of a training set a labelled set too: `images/<label>_<copy>.png`. */
function label(folder: string): void {
  const rows = classes.flatMap((_, i) => Array.from({ length: COPIES }, (_, copy) => `images/${i}_${copy}.png,${i}`));
  writeFileSync(join(folder, 'labels.csv'), ['image,label', ...rows].join('\n'));
  const names = readFileSync(join(folder, 'test', 'classes.json'), 'utf8');
  writeFileSync(join(folder, 'classes.json'), names);
  const { templates } = JSON.parse(names) as { templates: string[] };
  const functions = templates.map((template) => `lambda c: f"${template.replace('{}', '{c}')}"`);
  writeFileSync(
    join(folder, 'classes.py'),
    `{"classes": ${JSON.stringify(classes)}, "templates": [${functions.join(', ')}]}`,
  );
}
