import { readFileSync } from 'node:fs';

import { autoAugmentOp, imageNetPolicy, magnitudeOf, type OperationName } from '../../../src/augment/autoaugment';
import { decodeImage } from '../../../src/images/image';
import { resizeCrop } from '../../../src/images/preprocess';
import { torch } from '../../../src/torch';
import { python } from '../python';
import { transformDifference, transformed } from '../transforms';
import { inFolder } from './clip';
import { byteDifference, interleaved, type Row } from './row';

interface Expected {
  file: string;
  expected: string;
}

export const preprocessing: Row = {
  name: 'preprocessing',
  what:
    'decoding, resize, crop: JPEG (subsampling, CMYK, progressive, grey, EXIF, cut off), PNG (palette, 16 bit, ' +
    'alpha), WebP, GIF, TIFF in odd sizes',
  reference: true,
  measure: (against) =>
    inFolder(async (folder) => {
      const sizes = [
        [131, 97],
        [333, 222],
        [500, 375],
        [225, 224],
        [64, 64],
        [91, 300],
      ];
      const images = python('image_rows.py', { job: 'preprocess', folder, sizes, target: 224, against }) as Expected[];
      let worst = 0;
      for (const { file, expected } of images) {
        const image = await decodeImage(file);
        const bytes = torch.tidy(() => interleaved(resizeCrop(image, 224)));
        image.dispose();
        worst = Math.max(worst, byteDifference(bytes, readFileSync(expected)));
      }
      return [{ part: 'largest difference, in levels of 255', cases: images.length, measured: worst, limit: 0 }];
    }),
};

export const transforms: Row = {
  name: 'transforms',
  what:
    "open_clip's `image_transform_v2` in every resize mode and interpolation, and transformers' " +
    '`CLIPImageProcessor` (PIL), in odd sizes',
  reference: false,
  measure: () =>
    inFolder(async (folder) => {
      const sizes = [
        [131, 97],
        [97, 131],
        [333, 222],
        [225, 224],
        [224, 227],
        [500, 375],
        [64, 64],
        [91, 300],
        [301, 31],
      ];
      const cases = transformed(folder, sizes, [224, 97]).filter(({ refused }) => refused !== true);
      let [bytes, numbers] = [0, 0];
      for (const each of cases) {
        const found = await transformDifference(each);
        [bytes, numbers] = [Math.max(bytes, found.bytes), Math.max(numbers, found.numbers)];
      }
      return [
        { part: 'largest difference, in levels of 255', cases: cases.length, measured: bytes, limit: 0 },
        { part: 'largest difference after normalising', cases: cases.length, measured: numbers, limit: 1e-6 },
      ];
    }),
};

export const autoaugment: Row = {
  name: 'autoaugment',
  what: "AutoAugment: each operation at each of torchvision's magnitudes and signs, and its policies",
  reference: false,
  measure: () =>
    inFolder(async (folder) => {
      const given = python('image_rows.py', {
        job: 'autoaugment',
        folder,
        sizes: [
          [250, 188],
          [97, 131],
          [64, 64],
        ],
      }) as {
        operations: (Expected & { name: OperationName; magnitudes: number[] })[];
        policies: [[string, number, number | null], [string, number, number | null]][];
      };
      let [worst, cases, magnitudes] = [0, 0, 0];
      for (const { file, expected, name, magnitudes: levels } of given.operations) {
        const image = await decodeImage(file);
        const [, height, width] = image.shape;
        const whole = readFileSync(expected);
        levels.forEach((magnitude, i) => {
          const bytes = torch.tidy(() => interleaved(autoAugmentOp(image, name, magnitude)));
          worst = Math.max(worst, byteDifference(bytes, whole.subarray(i * bytes.length, (i + 1) * bytes.length)));
          if (i < 10)
            magnitudes = Math.max(
              magnitudes,
              Math.abs(magnitudeOf(name, levels.length > 1 ? i : 0, { width, height }) - magnitude),
            );
          cases++;
        });
        image.dispose();
      }
      const policies = imageNetPolicy.map((steps) => steps.map(([name, chance, bin]) => [name, chance, bin ?? null]));
      const others = policies.filter((policy, i) => JSON.stringify(policy) !== JSON.stringify(given.policies[i]));
      return [
        { part: 'largest difference, in levels of 255', cases, measured: worst, limit: 0 },
        { part: 'largest difference of a magnitude', cases, measured: magnitudes, limit: 0 },
        { part: 'sub-policies that differ', cases: given.policies.length, measured: others.length, limit: 0 },
      ];
    }),
};
