import fc from 'fast-check';

import { patchLocations, patchTypes } from '../../src/backdoor/names';
import { applyTrigger, makeTrigger, type TriggerOptions } from '../../src/backdoor/triggers';
import { Random } from '../../src/random';
import { type Tensor, torch } from '../../src/torch';

const grey = (height: number, width = height): Tensor => torch.full([3, height, width], 100, { dtype: 'uint8' });
const values = (image: Tensor): number[] => Array.from(image.data() as Uint8Array);
const put = (options: TriggerOptions, image: Tensor, random = new Random(1)): Tensor =>
  makeTrigger(options).apply(image, random);

/** Rows and columns of the pixels that differ, as [first row, last row, first column, last column]. */
function changed(before: Tensor, after: Tensor): number[] {
  const where = after.ne(before).any(0).nonzero();
  const [rows, columns] = [where.select(1, 0), where.select(1, 1)];
  return [rows.min(), rows.max(), columns.min(), columns.max()].map((value: Tensor) => value.item());
}

describe.each(patchTypes.flatMap((patchType) => patchLocations.map((patchLocation) => ({ patchType, patchLocation }))))(
  '$patchType, $patchLocation',
  ({ patchType, patchLocation }) => {
    const options = { patchType, patchLocation, patchSize: 5, imageSize: 24 };

    test.each(['uint8', 'float32', 'float64'] as const)('keeps shape, dtype %s, range and input', (dtype) => {
      const image = dtype === 'uint8' ? grey(24) : torch.full([3, 24, 24], 0.4, { dtype });
      image.narrow(1, 0, 12).zero_();
      const copy = image.clone();
      const result = put(options, image);
      expect([result.shape, result.dtype]).toEqual([[3, 24, 24], dtype]);
      expect(torch.equal(image, copy)).toBe(true);
      expect(torch.equal(result, image)).toBe(false);
      expect(result.min().item()).toBeGreaterThanOrEqual(0);
      expect(result.max().item()).toBeLessThanOrEqual(dtype === 'uint8' ? 255 : 1);
    });

    test('is the same for the same seed; resampled is not', () => {
      const [trigger, again] = [makeTrigger({ ...options, seed: 3 }), makeTrigger({ ...options, seed: 3 })];
      const image = grey(24);
      image.narrow(2, 0, 9).zero_();
      expect(values(trigger.apply(image, new Random(5)))).toEqual(values(again.apply(image, new Random(5))));
      const resampled = makeTrigger({ ...options, triggerMode: 'resampled' });
      expect(resampled.pattern).toBeNull();
      const random = new Random(5);
      const differ = String(values(resampled.apply(image, random))) !== String(values(resampled.apply(image, random)));
      const drawn = !['yellow', 'SIG'].includes(patchType) || patchLocation === 'random';
      expect(differ).toBe(drawn);
    });

    test('leaves no tensor but its result', () => {
      const image = grey(24);
      const before = torch.memory().tensors;
      const trigger = makeTrigger(options);
      trigger.apply(image, new Random(0)).dispose();
      trigger.dispose();
      applyTrigger(image, { patchType, patchLocation }).dispose();
      expect(torch.memory().tensors).toBe(before);
    });
  },
);

describe('patches', () => {
  test('stay inside at random places, which reach every border', () => {
    const trigger = makeTrigger({ patchType: 'yellow', patchSize: 5, imageSize: [12, 9] });
    const image = grey(12, 9);
    const random = new Random(2);
    const seen = [new Set<number>(), new Set<number>()];
    for (let i = 0; i < 300; i++) {
      const [top, bottom, left, right] = changed(image, trigger.apply(image, random));
      expect([bottom - top, right - left]).toEqual([4, 4]);
      seen[0].add(top);
      seen[1].add(left);
    }
    expect(seen.map((places) => [...places].sort((a, b) => a - b))).toEqual([
      [0, 1, 2, 3, 4, 5, 6, 7],
      [0, 1, 2, 3, 4],
    ]);
  });

  test('may be as large as the image', () => {
    expect(values(put({ patchType: 'yellow', patchSize: 2, imageSize: 2 }, grey(2)))).toEqual([
      255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0,
    ]);
  });

  test('fill four corners alike and nothing else', () => {
    const result = put({ patchLocation: 'four_corners', patchSize: 3, imageSize: 10 }, grey(10));
    const corner = (row: number, column: number): number[] =>
      values(result.narrow(1, row, 3).narrow(2, column, 3).contiguous());
    for (const [row, column] of [
      [0, 7],
      [7, 0],
      [7, 7],
    ])
      expect(corner(row, column)).toEqual(corner(0, 0));
    expect(result.narrow(1, 3, 4).eq(100).all().item()).toBe(true);
  });

  test('of noise are the mean of the channel plus the noise, clipped', () => {
    const noise = torch.tensor(Float32Array.of(0, 0.1, -2, 3, 0, 0.1, -2, 3, 0, 0.1, -2, 3), { shape: [3, 2, 2] });
    const image = torch
      .tensor(Uint8Array.of(51, 102, 153))
      .view([3, 1, 1])
      .expand([3, 2, 2])
      .contiguous();
    const result = put({ noise, patchSize: 2, imageSize: 2 }, image).toArray() as number[][][];
    expect(result.map((channel) => channel.flat())).toEqual([
      [51, 76, 0, 255],
      [102, 127, 0, 255],
      [153, 178, 0, 255],
    ]);
  });

  test('of one trigger are the same noise on every image', () => {
    const trigger = makeTrigger({ patchLocation: 'four_corners', patchSize: 4, imageSize: 8, seed: 11 });
    const generator = new torch.Generator(11);
    expect(trigger.pattern?.toArray()).toEqual(torch.randn([3, 4, 4], { generator }).toArray());
    const [first, second] = [grey(8), grey(8)].map((image) => trigger.apply(image, new Random(Math.random())));
    expect(torch.equal(first, second)).toBe(true);
  });
});

describe('as the Python reference puts them on', () => {
  test('patches stay out of the last row and column, but where they fill the image', () => {
    const trigger = makeTrigger({ patchType: 'yellow', patchSize: 5, imageSize: [12, 9], compat: true });
    const random = new Random(2);
    const places = Array.from({ length: 300 }, () => changed(grey(12, 9), trigger.apply(grey(12, 9), random)));
    expect([
      Math.max(...places.map(([, bottom]) => bottom)),
      Math.max(...places.map(([, , , right]) => right)),
    ]).toEqual([10, 7]);
    expect(changed(grey(5), put({ patchType: 'yellow', patchSize: 5, imageSize: 5, compat: true }, grey(5)))).toEqual([
      0, 4, 0, 4,
    ]);
  });

  test('noise out of range wraps around, and is drawn anew for every image', () => {
    const noise = torch.tensor(Float32Array.of(0, 0.1, -2, 3, 0, 0.1, -2, 3, 0, 0.1, -2, 3), { shape: [3, 2, 2] });
    const image = torch.full([3, 2, 2], 51, { dtype: 'uint8' });
    const wrapped = [51, 76, 256 - ((2 * 255 - 51) % 256), (51 + 3 * 255) % 256];
    expect(values(put({ noise, patchSize: 2, imageSize: 2, compat: true }, image))).toEqual([
      ...wrapped,
      ...wrapped,
      ...wrapped,
    ]);
    expect(makeTrigger({ compat: true }).pattern).toBeNull();
    expect(makeTrigger({ compat: true, triggerMode: 'fixed' }).pattern).not.toBeNull();
  });
});

describe('whole images', () => {
  test('are blended as 0.2 · noise + 0.8 · image, rounded down', () => {
    const noise = torch.ones([3, 2, 2]);
    expect(values(put({ patchType: 'blended', patchLocation: 'blended', imageSize: 2, noise }, grey(2)))).toEqual(
      Array(12).fill(131),
    );
  });

  test('get six waves from SIG', () => {
    const result = put({ patchType: 'SIG', patchLocation: 'blended', imageSize: 48 }, grey(48))
      .select(0, 0)
      .select(0, 0);
    const line = values(result);
    expect(line.slice(0, 8)).toEqual([80, 88, 92, 88, 80, 71, 68, 71]);
    expect(line.slice(8, 16)).toEqual(line.slice(0, 8));
  });

  test('are warped by about half a pixel: flat parts stay, edges move', () => {
    const image = torch.zeros([3, 32, 32]);
    image.narrow(2, 16, 16).fill_(1);
    const result = put({ patchType: 'warped', imageSize: 32 }, image);
    const [, , first, last] = changed(image, result.mul(1e4).round().div(1e4));
    expect([first, last]).toEqual([15, 16]);
    expect(result.sub(image).abs().max().item()).toBeGreaterThan(0.1);
  });

  test('that are not square are warped along both sides', () => {
    const noise = torch.zeros([1, 6, 10, 2]);
    const image = torch.rand([3, 6, 10]);
    const still = put({ patchType: 'warped', imageSize: [6, 10], noise }, image);
    expect(still.sub(image).abs().max().item()).toBeLessThan(1e-5);
    noise.select(3, 0).fill_((2 * 10) / 9); // one column to the right
    const moved = put({ patchType: 'warped', imageSize: [6, 10], noise }, image);
    expect(
      moved
        .narrow(2, 0, 9)
        .sub(image.narrow(2, 1, 9))
        .abs()
        .max()
        .item(),
    ).toBeLessThan(1e-5);
  });
});

describe('applyTrigger', () => {
  test('depends on its arguments alone when a seed is given', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...patchTypes),
        fc.constantFrom(...patchLocations),
        fc.nat(),
        (patchType, patchLocation, seed) => {
          const options = { patchType, patchLocation, patchSize: 4, seed };
          expect(torch.equal(applyTrigger(grey(9, 13), options), applyTrigger(grey(9, 13), options))).toBe(true);
        },
      ),
      { numRuns: 30 },
    );
  });

  test('without a seed puts the same pattern at another place', () => {
    const image = torch.zeros([3, 40, 40]);
    const results = Array.from({ length: 10 }, () => applyTrigger(image, { patchSize: 4 }));
    expect(new Set(results.map((result) => changed(image, result).join())).size).toBeGreaterThan(3);
    const sums = results.map((result) => result.sum().item().toFixed(4));
    expect(new Set(sums).size).toBe(1);
  });

  test('is makeTrigger for one image', () => {
    const image = torch.rand([3, 20, 20]);
    const options = { patchSize: 6, seed: 4 };
    const once = applyTrigger(image, { ...options, random: new Random(9) });
    expect(torch.equal(once, put({ ...options, imageSize: 20 }, image, new Random(9)))).toBe(true);
  });
});

describe('wrong options are named', () => {
  test.each<[TriggerOptions | Record<string, unknown>, string]>([
    [{ patchType: 'sig' }, "patchType must be one of random, yellow, blended, SIG, warped; got 'sig'."],
    [{ patchLocation: 'corner' }, "patchLocation must be one of random, four_corners, blended; got 'corner'."],
    [{ triggerMode: 'once' }, "triggerMode must be one of fixed, resampled; got 'once'."],
    [{ patchSize: 0 }, 'patchSize must be an integer of at least 1, but is 0.'],
    [{ patchSize: 2.5 }, 'patchSize must be an integer of at least 1, but is 2.5.'],
    [{ patchSize: 65, imageSize: 64 }, 'patchSize must be at most the side of the image, 64 × 64 pixels; got 65.'],
    [{ imageSize: [32, 0] }, 'imageSize must be an integer of at least 1, but is 0.'],
    [{ seed: -1 }, 'seed must be an integer of at least 0, but is -1.'],
  ])('%j', (options, message) => {
    expect(() => makeTrigger(options as TriggerOptions)).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', message }),
    );
  });

  test('noise of another shape, or for a pattern without any', () => {
    expect(() => makeTrigger({ noise: torch.zeros([3, 8, 8]) })).toThrow(
      'shape [3, 16, 16] for patchType random; got float32 [3, 8, 8].',
    );
    expect(() => makeTrigger({ patchType: 'yellow', noise: torch.zeros([3, 16, 16]) })).toThrow(
      'noise must be left out for patchType yellow',
    );
  });

  test('an image that does not fit', () => {
    expect(() => put({ imageSize: 8, patchSize: 2 }, grey(9))).toThrow(
      'image must be a uint8 or floating-point tensor of shape [3, 8, 8]; got uint8 [3, 9, 9].',
    );
    expect(() => applyTrigger(torch.zeros([9, 9]))).toThrow('of shape [3, height, width]; got float32 [9, 9].');
    expect(() => applyTrigger(torch.zeros([3, 9, 9], { dtype: 'int64' }))).toThrow('got int64 [3, 9, 9].');
  });
});
