import { evaluate } from '../../../src/jobs';
import { classes } from '../../support/pairs';
import { python } from '../python';
import { COPIES, withTrained } from './labelled';
import type { Row } from './row';

const images = classes.length * COPIES;

export const linearProbe: Row = {
  name: 'linear-probe',
  what: `a linear probe on the features of a trained model, on a labelled set of ${images} drawings`,
  reference: false,
  measure: () =>
    withTrained(async ({ folder, checkpoint, run }) => {
      const [seed, epochs, batchSize] = [5, 4, 32];
      const { linear_probe_accuracy: accuracy } = await evaluate({
        ...run,
        name: 'probed',
        checkpoint,
        evalTestDataDir: folder,
        evalTrainDataDir: folder,
        linearProbe: true,
        linearProbeNumEpochs: epochs,
        linearProbeBatchSize: batchSize,
        seed,
      });
      const job = { checkpoint, folder, classes: classes.length, seed, epochs, batchSize };
      const { right } = python('linear_probe.py', job) as { right: number };
      return [
        {
          part: `difference of the count of right answers, ${right} of ${images}`,
          cases: images,
          measured: Math.abs(Math.round(accuracy * images) - right),
          limit: 0,
        },
      ];
    }),
};
