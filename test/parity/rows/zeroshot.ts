import { evaluate } from '../../../src/jobs';
import { classes } from '../../support/pairs';
import { python } from '../python';
import { COPIES, withTrained } from './labelled';
import type { Row } from './row';

const TARGET = 4;
const PATCH = 6;

export const zeroshot: Row = {
  name: 'zeroshot',
  what:
    `zero-shot metrics of a trained model on a labelled set of ${classes.length * COPIES} drawings, and attack ` +
    'success; counts among the top 1, 3, 5, 10',
  reference: true,
  measure: (against) =>
    withTrained(async ({ folder, checkpoint, run }) => {
      const ours = await evaluate({
        ...run,
        name: 'measured',
        checkpoint,
        evalTestDataDir: folder,
        asr: true,
        label: classes[TARGET],
        patchType: 'yellow',
        patchLocation: 'four_corners',
        patchSize: PATCH,
      });
      const theirs = python('zeroshot.py', { checkpoint, folder, target: TARGET, patch: PATCH, against }) as Record<
        string,
        Record<string, number>
      >;
      return Object.entries(theirs).map(([metric, counts]) => {
        const images = (metric === 'zeroshot' ? classes.length : classes.length - 1) * COPIES;
        const apart = Object.entries(counts).map(([k, count]) =>
          Math.abs(Math.round(ours[`${metric}_top${k}`] * images) - count),
        );
        const found = Object.values(counts).join(', ');
        return {
          part: `largest difference of a count; ${metric}: ${found} of ${images}`,
          cases: images,
          measured: Math.max(...apart),
          limit: 0,
        };
      });
    }),
};
