import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { evaluate, train } from '../../../src/jobs';
import { classes, drawShapes } from '../../support/pairs';
import { python } from '../python';
import type { Row } from './row';

const COPIES = 20;
const TARGET = 4;
const PATCH = 6;

/** Makes the drawings of a training set a labelled set too: `images/<label>_<copy>.png`. */
function label(folder: string): void {
  const rows = classes.flatMap((_, i) => Array.from({ length: COPIES }, (_, copy) => `images/${i}_${copy}.png,${i}`));
  writeFileSync(join(folder, 'labels.csv'), ['image,label', ...rows].join('\n'));
  const names = readFileSync(join(folder, 'test', 'classes.json'), 'utf8');
  writeFileSync(join(folder, 'classes.json'), names);
  const { templates } = JSON.parse(names) as { templates: string[] };
  const functions = templates.map((template) => `lambda c: f"${template.replace('{}', '{c}')}"`);
  writeFileSync(join(folder, 'classes.py'), `{"classes": ${JSON.stringify(classes)}, "templates": [${functions.join(', ')}]}`);
}

export const zeroshot: Row = {
  name: 'zeroshot',
  what: `zero-shot metrics of a trained model on a labelled set of ${classes.length * COPIES} drawings, and attack success; counts among the top 1, 3, 5, 10`,
  reference: true,
  async measure(against) {
    const folder = await drawShapes(COPIES);
    try {
      label(folder);
      const run = { logs: join(folder, 'logs'), numWorkers: 0 };
      const { checkpoint } = await train({
        ...run, name: 'model', trainData: join(folder, 'train.csv'), modelName: join(folder, 'model.json'),
        batchSize: 12, epochs: 3, lr: 2e-3, numWarmupSteps: 5,
      });
      const ours = await evaluate({
        ...run, name: 'measured', checkpoint, evalTestDataDir: folder,
        asr: true, label: classes[TARGET], patchType: 'yellow', patchLocation: 'four_corners', patchSize: PATCH,
      });
      const theirs = python('zeroshot.py', { checkpoint, folder, target: TARGET, patch: PATCH, against }) as Record<string, Record<string, number>>;
      return Object.entries(theirs).map(([metric, counts]) => {
        const images = (metric === 'zeroshot' ? classes.length : classes.length - 1) * COPIES;
        const apart = Object.entries(counts).map(([k, count]) => Math.abs(Math.round(ours[`${metric}_top${k}`] * images) - count));
        const found = Object.values(counts).join(', ');
        return { part: `largest difference of a count; ${metric}: ${found} of ${images}`, cases: images, measured: Math.max(...apart), limit: 0 };
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
