import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

import { autoAugmentOp, magnitudeOf, type OperationName } from '../../src/augment/autoaugment';
import { decodeImage } from '../../src/images/image';
import { preprocess, resizeCrop } from '../../src/images/preprocess';
import { type Tensor, torch } from '../../src/torch';
import { temporaryFolder } from '../data/temporary';
import { python } from './python';

/** Bytes of a uint8 [3, H, W] in PIL's order. */
const interleaved = (image: Tensor): Uint8Array =>
  torch.tidy(() => image.permute([1, 2, 0]).contiguous().data()) as Uint8Array;

function difference(actual: Uint8Array, expected: Uint8Array): { largest: number; equal: number } {
  expect(actual.length).toBe(expected.length);
  if (Buffer.compare(actual, expected) === 0) return { largest: 0, equal: 1 };
  let [largest, equal] = [0, 0];
  for (let i = 0; i < actual.length; i++) {
    if (actual[i] === expected[i]) equal++;
    else largest = Math.max(largest, Math.abs(actual[i] - expected[i]));
  }
  return { largest, equal: equal / actual.length };
}

interface Expected {
  file: string;
  expected: string;
}

describe.each([
  [131, 97],
  [64, 64],
  [17, 250],
])('decodes as PIL: %i × %i', (width, height) => {
  const images = python('images.py', {
    job: 'decode',
    folder: temporaryFolder(),
    width,
    height,
  }) as (Expected & { mode: string; width: number; height: number })[];

  test.each(images.map((image) => [basename(image.file), image.mode, image] as const))(
    '%s (%s)',
    async (_, __, image) => {
      const decoded = await decodeImage(image.file);
      expect(decoded.shape).toEqual([3, image.height, image.width]);
      expect(difference(interleaved(decoded), readFileSync(image.expected))).toEqual({ largest: 0, equal: 1 });
    },
  );
});

const resized = python('images.py', {
  job: 'resize',
  folder: temporaryFolder(),
  sizes: [
    [500, 375],
    [375, 500],
    [333, 222],
    [225, 224],
    [224, 227],
    [64, 64],
    [91, 300],
    [300, 640],
    [640, 63],
    [40, 900],
    [1, 1],
    [3, 2],
    [1500, 1490],
  ],
  targets: [224, 64, 97],
}) as (Expected & { size: number })[];

describe('resizes and crops as PIL and torchvision, to the byte', () => {
  test.each(resized.map((image) => [basename(image.file), image.size, image] as const))(
    '%s to %i',
    async (_, size, image) => {
      const expected = readFileSync(image.expected);
      const decoded = await decodeImage(image.file);
      for (const stored of [decoded, decoded.contiguous()]) {
        expect(difference(interleaved(resizeCrop(stored, size)), expected)).toEqual({ largest: 0, equal: 1 });
      }
    },
  );

  test('and normalises', async () => {
    const { file, expected, size } = resized[0];
    const bytes = readFileSync(expected);
    const pixels = (await preprocess(file, { size })).permute([1, 2, 0]).contiguous().data() as Float32Array;
    const mean = [0.48145466, 0.4578275, 0.40821073];
    const std = [0.26862954, 0.26130258, 0.27577711];
    pixels.forEach((value, i) => expect(value).toBeCloseTo((bytes[i] / 255 - mean[i % 3]) / std[i % 3], 5));
  });
});

describe('augments as PIL: each bin and sign of each operation, to the byte', () => {
  const operations = python('images.py', {
    job: 'augment',
    folder: temporaryFolder(),
    sizes: [
      [250, 188],
      [64, 64],
      [97, 131],
      [5, 3],
      [2, 2],
      [1, 1],
    ],
  }) as (Expected & { name: OperationName; magnitudes: number[] })[];

  test.each(operations.map((each) => [each.name, basename(each.file), each] as const))(
    '%s of %s',
    async (name, _, each) => {
      const image = await decodeImage(each.file);
      const expected = readFileSync(each.expected);
      const [, height, width] = image.shape;
      const length = 3 * height * width;
      each.magnitudes.forEach((magnitude, i) => {
        const result = interleaved(autoAugmentOp(image, name, magnitude));
        const found = { magnitude, ...difference(result, expected.subarray(i * length, (i + 1) * length)) };
        expect(found).toEqual({ magnitude, largest: 0, equal: 1 });
        if (i < 10 && each.magnitudes.length > 1) expect(magnitudeOf(name, i, { width, height })).toBe(magnitude);
      });
    },
  );
});
