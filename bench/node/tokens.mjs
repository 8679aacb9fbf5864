// Measures the tokenisation of captions.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

import cleanclip from '../../dist/index.js';
import { caption } from './inputs.mjs';

export async function prepare({ folder, captions }) {
  const texts = Array.from({ length: captions }, (_, i) => caption(i));
  writeFileSync(join(folder, 'captions.json'), JSON.stringify(texts));
  return () => {
    const start = performance.now();
    const ids = cleanclip.tokenize(texts);
    const seconds = (performance.now() - start) / 1000;
    ids.dispose();
    return { seconds };
  };
}
