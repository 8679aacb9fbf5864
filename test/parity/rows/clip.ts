import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ClipConfig } from '../../../src/clip/config';
import type { Batch } from '../../../src/data/batch';
import { torch } from '../../../src/torch';
import { drawnIds } from '../models';
import { python } from '../python';

/** Which CLIP of Python: plain modules, the same in float64, our operators in our order, or the Python repository's. */
export type Modules = 'plain' | 'float64' | 'in order' | 'reference';

export const modulesName: Record<Modules, string> = {
  plain: 'plain modules',
  float64: 'plain modules in float64',
  'in order': 'operators in the same order',
  reference: "the repository's modules",
};

/** Runs with a folder that is removed afterwards. */
export async function inFolder<T>(use: (folder: string) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'cleanclip-parity-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What clip_rows.py makes of a request; `input` and the answer are tensors, which go through files. */
export function inPython(
  folder: string,
  request: { modules: Modules; [option: string]: unknown },
  input: object,
): unknown {
  const call = readdirSync(folder).length; // a file that was loaded stays mapped, so none is written twice
  const [from, to] = ['input', 'output'].map((name) => join(folder, `${name}_${call}.pt`));
  torch.save(input, from);
  python('clip_rows.py', { ...request, input: from, output: to });
  return torch.load(to);
}

/** Drawn pairs with augmented views. */
export type PairBatch = Required<Batch>;

export function drawnBatch(config: ClipConfig, size: number, seed: number): PairBatch {
  const generator = new torch.Generator(seed);
  const pixels = () =>
    torch.randint(0, 256, [size, 3, config.imageSize, config.imageSize], { generator, dtype: 'uint8' });
  const ids = () => drawnIds(config, size, generator);
  return {
    index: 0,
    rows: Int32Array.from({ length: size }, (_, i) => i),
    isBackdoor: Array.from({ length: size }, () => false),
    pixels: pixels(),
    ids: ids(),
    augmentedPixels: pixels(),
    augmentedIds: ids(),
    dispose: () => {},
  };
}

/** The tensors of a batch, for Python. */
export const tensorsOf = ({ pixels, ids, augmentedPixels, augmentedIds }: PairBatch): object => ({
  pixels,
  ids,
  augmentedPixels,
  augmentedIds,
});

/** Why plain modules are not bit-identical. */
export const OTHER_ORDER =
  'Only what is read is computed here (the last block for one token, the attention pool for its mean token, ' +
  'captions up to their end), ' +
  'so sums are rounded in another order than in plain modules.';
