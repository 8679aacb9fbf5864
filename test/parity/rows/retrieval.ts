import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { embed, retrieval as measureRetrieval } from '../../../src/jobs/embeddings';
import { classes } from '../../support/pairs';
import { python } from '../python';
import { COPIES, withTrained } from './labelled';
import type { Row } from './row';

const CAPTIONS = 5;

export const retrieval: Row = {
  name: 'retrieval',
  what:
    `recall of retrieval on ${classes.length * COPIES} drawings with ${CAPTIONS} captions each: ours, and the text ` +
    'recall that the Python code prints, in percent',
  reference: false,
  measure: () =>
    withTrained(async ({ folder, checkpoint, run: { numWorkers, precision } }) => {
      const written = mkdtempSync(join(tmpdir(), 'cleanclip-retrieval-'));
      try {
        const rows = classes.flatMap((name, label) =>
          Array.from({ length: COPIES * CAPTIONS }, (_, i) => {
            const image = join(folder, `images/${label}_${Math.floor(i / CAPTIONS)}.png`);
            return `${image},drawing ${i % CAPTIONS} of ${name}`;
          }),
        );
        const trainData = join(written, 'captions.csv');
        writeFileSync(trainData, ['image,caption', ...rows].join('\n'));
        const embeddings = join(written, 'captions.safetensors');
        await embed({ checkpoint, trainData, output: embeddings, numWorkers, precision });
        const [ours] = await measureRetrieval({ embeddings: [embeddings], compat: 'reference' });
        const { recall } = python('retrieval.py', { embeddings }) as { recall: Record<string, number> };
        const apart = Object.entries(recall).map(([name, value]) => Math.abs(ours[name as 'txt_r1'] - value));
        const found = Object.entries(recall).map(([name, value]) => `${name} ${value.toFixed(1)}`);
        return [
          {
            part: `largest difference of a recall, in percent; ${found.join(', ')}`,
            cases: rows.length,
            measured: Math.max(...apart),
            limit: 1e-9,
          },
        ];
      } finally {
        rmSync(written, { recursive: true, force: true });
      }
    }),
};
