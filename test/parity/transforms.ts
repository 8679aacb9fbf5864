import { readFileSync } from 'node:fs';

import { decodeImage } from '../../src/images/image';
import { preprocess, resizeCrop } from '../../src/images/preprocess';
import type { PreprocessConfig } from '../../src/images/preprocess_config';
import { torch } from '../../src/torch';
import { python } from './python';
import { byteDifference, interleaved } from './rows/row';

/** One image through one transform of Python. */
export interface Transformed {
  name: string;
  file: string;
  target: number;
  config: PreprocessConfig;
  /** files of its bytes [H, W, 3] and float32 [3, H, W], without .rgb and .f32 */
  expected: string;
  /** Python refuses the image instead */
  refused?: boolean;
}

/**
 * Images of these sizes [width, height] through every evaluation transform of open_clip and of transformers'
 * CLIPImageProcessor.
 */
export const transformed = (folder: string, sizes: number[][], targets: number[]): Transformed[] =>
  python('transforms.py', { folder, sizes, targets }) as Transformed[];

/** The largest differences of bytes, and of the model's numbers. */
export async function transformDifference({
  file,
  target,
  config,
  expected,
}: Transformed): Promise<{ bytes: number; numbers: number }> {
  const image = await decodeImage(file);
  const bytes = byteDifference(
    torch.tidy(() => interleaved(resizeCrop(image, target, config))),
    readFileSync(`${expected}.rgb`),
  );
  const ours = (await preprocess(image, { size: target, ...config })).data() as Float32Array;
  image.dispose();
  const file32 = readFileSync(`${expected}.f32`);
  const theirs = new Float32Array(file32.buffer, file32.byteOffset, file32.length / 4);
  return { bytes, numbers: ours.reduce((most, value, i) => Math.max(most, Math.abs(value - theirs[i])), 0) };
}
