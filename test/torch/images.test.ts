import fc from 'fast-check';

import { type OperationName, operationNames } from '../../src/augment/autoaugment';
import { augmentImage, normalizeImages, resizeImage } from '../../src/images/kernels';
import { type Tensor, torch } from '../../src/torch';

const noise = (height: number, width: number, seed: number): Tensor =>
  torch.tensor(
    Uint8Array.from({ length: 3 * height * width }, (_, i) => ((i + seed) * 7919 + (i >> 3) * 31) % 251),
    { shape: [3, height, width] },
  );
const channelsLast = (image: Tensor): Tensor => image.permute([1, 2, 0]).contiguous().permute([2, 0, 1]);
const side = fc.integer({ min: 1, max: 40 });
const image = fc.tuple(side, side, fc.nat(1000)).map((given) => noise(...given));
const magnitude = fc.double({ min: -3, max: 9, noNaN: true });
const step: fc.Arbitrary<[OperationName, number]> = fc.tuple(fc.constantFrom(...operationNames), magnitude);

/** Calls that must be refused, of each function. */
const each = (images: Tensor): (() => unknown)[] => [
  () => augmentImage(images, [['Invert', 0]]),
  () => resizeImage(images, { width: 2, height: 2 }, { left: 0, top: 0, width: 2, height: 2 }),
  () => normalizeImages(images, [0, 0, 0], [1, 1, 1]),
];

test.each<[string, Tensor]>([
  ['floats', torch.zeros([3, 4, 4])],
  ['two dimensions', torch.zeros([4, 4], { dtype: 'uint8' })],
  ['no dimension', torch.zeros([], { dtype: 'uint8' })],
  ['four channels', torch.zeros([4, 4, 4], { dtype: 'uint8' })],
  ['a sparse tensor', torch.ones([3, 4, 4], { dtype: 'uint8' }).to_sparse()],
  ['a tensor without data', torch.zeros([3, 4, 4], { dtype: 'uint8', device: 'meta' })],
])('%s are refused', (_, images) => {
  for (const call of each(images)) expect(call).toThrow('Images uint8 [..., 3, H, W] on the CPU were expected here.');
});

test('images without pixels and batches are refused where one image is wanted', () => {
  for (const images of [torch.zeros([3, 0, 4], { dtype: 'uint8' }), torch.zeros([2, 3, 4, 4], { dtype: 'uint8' })]) {
    for (const call of each(images).slice(0, 2))
      expect(call).toThrow('One image [3, H, W] with pixels was expected here.');
  }
});

describe('augmentImage', () => {
  test('steps together give what they give one by one, in either memory layout', () => {
    fc.assert(
      fc.property(image, fc.array(step, { maxLength: 4 }), (from, steps) => {
        const copy = from.clone();
        const together = augmentImage(from, steps);
        expect(
          torch.equal(
            together,
            steps.reduce((each, one) => augmentImage(each, [one]), from),
          ),
        ).toBe(true);
        expect(torch.equal(together, augmentImage(channelsLast(from), steps))).toBe(true);
        together.zero_();
        expect(torch.equal(from, copy)).toBe(true);
      }),
      { seed: 4, numRuns: 300 },
    );
  });

  test.each(operationNames)('%s survives any magnitude', (name) => {
    const from = noise(7, 5, 0);
    for (const any of [-1e308, -1e18, -1e6, -257.5, -1e-300, 1e-300, 0.5, 257.5, 32767.9, 1e6, 1e18, 1e308]) {
      expect(augmentImage(from, [[name, any]]).shape).toEqual([3, 7, 5]);
    }
  });

  test('what is moved far away leaves black', () => {
    for (const name of ['TranslateX', 'TranslateY']) {
      for (const far of [5, -7, 1e12, -1e12])
        expect(
          augmentImage(noise(5, 5, 1), [[name, far]])
            .sum()
            .item(),
        ).toBe(0);
    }
  });

  test('refuses names, magnitudes and sides that it cannot work with', () => {
    const from = noise(2, 2, 0);
    expect(() => augmentImage(from, [['Blur', 1]])).toThrow('There is no operation "Blur" of AutoAugment.');
    expect(() => augmentImage(from, [['Rotate', NaN]])).toThrow('A finite magnitude was expected here.');
    expect(() => augmentImage(from, [['Rotate', Infinity]])).toThrow('A finite magnitude was expected here.');
    expect(() => augmentImage(from, 5 as never)).toThrow();
    expect(() => augmentImage(from, [7] as never)).toThrow();
    expect(() => augmentImage(torch.zeros([3, 1, 2 ** 20 + 1], { dtype: 'uint8' }), [['Invert', 0]])).toThrow(
      'An image of at most 1048576 pixels per side was expected here.',
    );
  });
});

describe('resizeImage', () => {
  test('a crop is a part of the whole', () => {
    fc.assert(
      fc.property(image, side, side, fc.infiniteStream(fc.nat()), (from, width, height, numbers) => {
        const below = (limit: number): number => numbers.next().value % limit;
        const [left, top] = [below(width), below(height)];
        const crop = { left, top, width: 1 + below(width - left), height: 1 + below(height - top) };
        const whole = resizeImage(from, { width, height }, { left: 0, top: 0, width, height });
        const part = whole.narrow(1, top, crop.height).narrow(2, left, crop.width);
        expect(torch.equal(resizeImage(from, { width, height }, crop), part)).toBe(true);
        expect(torch.equal(resizeImage(channelsLast(from), { width, height }, crop), part)).toBe(true);
      }),
      { seed: 4, numRuns: 300 },
    );
  });

  test("is within 2 levels of libtorch's", () => {
    fc.assert(
      fc.property(image, side, side, (from, width, height) => {
        const [, h, w] = from.shape;
        fc.pre(!(height < h && h - height > 2 * (w - width))); // PIL goes the other way round then
        const ours = resizeImage(from, { width, height }, { left: 0, top: 0, width, height });
        const theirs = torch.ops.aten._upsample_bicubic2d_aa(from.unsqueeze(0), [height, width], false).squeeze(0);
        expect(ours.to('int32').sub(theirs).abs().max().item()).toBeLessThanOrEqual(2);
      }),
      { seed: 4, numRuns: 200 },
    );
  });

  test.each([
    [{ left: 1, top: 0, width: 8, height: 8 }],
    [{ left: 0, top: 1, width: 8, height: 8 }],
    [{ left: 0, top: 0, width: 0, height: 8 }],
    [{ left: 0, top: 0, width: 9, height: 1 }],
  ])('refuses the crop %j of 8 × 8', (crop) => {
    expect(() => resizeImage(noise(4, 4, 0), { width: 8, height: 8 }, crop)).toThrow(
      'A crop with pixels, inside the resized image, was expected here.',
    );
  });

  test.each([-1, NaN, 1e300])('refuses %d pixels', (width) => {
    expect(() => resizeImage(noise(4, 4, 0), { width, height: 8 }, { left: 0, top: 0, width: 1, height: 1 })).toThrow(
      'A number of pixels was expected here.',
    );
  });
});

describe('normalizeImages', () => {
  test('has the values of the same operations one after the other, to the bit', () => {
    const [means, deviations] = [
      [0.48145466, 0.4578275, 0.40821073],
      [0.26862954, 0.26130258, 0.27577711],
    ];
    const levels = torch.arange(256).to('uint8').view([16, 16]).expand([2, 3, 16, 16]);
    const [mean, deviation] = [means, deviations].map((values) => torch.tensor(values).view([3, 1, 1]));
    expect(
      torch.equal(
        normalizeImages(levels, means, deviations),
        levels.to('float32').div_(255).sub_(mean).div_(deviation),
      ),
    ).toBe(true);
  });

  test('takes any memory layout, and no images', () => {
    const images = noise(5, 7, 3);
    const result = normalizeImages(channelsLast(images), [0, 0, 0], [1, 1, 1]);
    expect(torch.equal(result, normalizeImages(images, [0, 0, 0], [1, 1, 1]))).toBe(true);
    expect(normalizeImages(torch.zeros([0, 3, 4, 4], { dtype: 'uint8' }), [0, 0, 0], [1, 1, 1]).shape).toEqual([
      0, 3, 4, 4,
    ]);
  });
});
