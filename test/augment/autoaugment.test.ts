import {
  autoAugment,
  autoAugmentOp,
  imageNetPolicy,
  magnitudeOf,
  type OperationName,
  operationNames,
} from '../../src/augment/autoaugment';
import { Random } from '../../src/random';
import { type Tensor, torch } from '../../src/torch';

const noise = (height: number, width: number): Tensor =>
  torch.tensor(
    Uint8Array.from({ length: 3 * height * width }, (_, i) => 20 + ((i * 7919 + (i >> 3) * 31) % 200)),
    { shape: [3, height, width] },
  );
const row = (...values: number[]): Tensor =>
  torch.tensor(Uint8Array.from(values)).expand([3, 1, values.length]).contiguous();
const firstRow = (image: Tensor): unknown => image.select(0, 0).select(0, 0).toArray();

describe('autoAugmentOp', () => {
  test.each(operationNames)('%s keeps shape, dtype and the input', (name) => {
    const image = noise(9, 14);
    const copy = image.clone();
    const result = autoAugmentOp(image, name, name === 'Posterize' ? 3 : 0.4);
    expect(result.shape).toEqual([3, 9, 14]);
    expect(result.dtype).toBe('uint8');
    result.zero_();
    expect(torch.equal(image, copy)).toBe(true);
  });

  test.each(
    operationNames.filter((name) => !['Posterize', 'Solarize', 'AutoContrast', 'Equalize', 'Invert'].includes(name)),
  )('%s of magnitude 0 changes nothing', (name) =>
    expect(torch.equal(autoAugmentOp(noise(9, 14), name, 0), noise(9, 14))).toBe(true),
  );

  test.each<[OperationName, number, number[], number[]]>([
    ['Invert', 0, [0, 100, 255], [255, 155, 0]],
    ['Posterize', 3, [31, 32, 255], [0, 32, 224]],
    ['Posterize', 8, [31, 32, 255], [31, 32, 255]],
    ['Solarize', 100.5, [100, 101, 255], [100, 154, 0]],
    ['Brightness', -0.5, [0, 101, 255], [0, 50, 127]],
    ['Brightness', 0.9, [0, 101, 255], [0, 191, 255]],
    ['Contrast', -1, [0, 101, 202], [101, 101, 101]],
    ['AutoContrast', 0, [50, 100, 150], [0, 127, 255]],
    ['AutoContrast', 0, [50, 50, 50], [50, 50, 50]],
    ['Equalize', 0, [50, 50, 50], [50, 50, 50]],
    ['TranslateX', 1.9, [1, 2, 3], [0, 1, 2]],
    ['TranslateX', -2, [1, 2, 3], [3, 0, 0]],
    ['TranslateY', 1, [1, 2, 3], [0, 0, 0]],
    ['Rotate', 180, [1, 2, 3], [3, 2, 1]],
  ])('%s by %d of %j is %j', (name, magnitude, from, to) => {
    expect(firstRow(autoAugmentOp(row(...from), name, magnitude))).toEqual(to);
  });

  test('Color takes colours to their luma', () => {
    const red = torch.tensor(Uint8Array.of(255, 0, 0), { shape: [3, 1, 1] });
    expect(autoAugmentOp(red, 'Color', -1).flatten().toArray()).toEqual([76, 76, 76]);
  });

  test('Sharpness smooths inside and leaves the border', () => {
    const image = torch.zeros([3, 3, 3], { dtype: 'uint8' });
    image.select(1, 1).select(1, 1).fill_(130);
    expect(autoAugmentOp(image, 'Sharpness', -1).select(0, 0).toArray()).toEqual([
      [0, 0, 0],
      [0, 50, 0],
      [0, 0, 0],
    ]);
  });

  test('Equalize spreads a ramp over all values', () => {
    const ramp = torch.arange(512).div(4, { rounding_mode: 'floor' }).to('uint8').expand([3, 4, 512]).contiguous();
    const result = autoAugmentOp(ramp, 'Equalize').data() as Uint8Array;
    expect([Math.min(...result), Math.max(...result)]).toEqual([0, 255]);
  });

  test('refuses what it cannot do', () => {
    expect(() => autoAugmentOp(noise(2, 2), 'Blur' as OperationName)).toThrow(
      /name must be one of ShearX, .*; got 'Blur'\./,
    );
    expect(() => autoAugmentOp(noise(2, 2), 'toString' as OperationName)).toThrow(/name must be one of/);
    expect(() => autoAugmentOp(noise(2, 2), 'Rotate', NaN)).toThrow(
      'magnitude of Rotate must be a finite number; got NaN.',
    );
    expect(() => autoAugmentOp(noise(2, 2), 'Posterize', 0)).toThrow('must be a number of bits from 1 to 8; got 0.');
    expect(() => autoAugmentOp(torch.zeros([3, 2, 2]), 'Invert')).toThrow('image must be a uint8 tensor');
  });
});

describe('autoAugment', () => {
  test('the policy is that of the paper in size and range', () => {
    expect(imageNetPolicy).toHaveLength(25);
    for (const [name, probability, bin = 0] of imageNetPolicy.flat()) {
      expect(operationNames).toContain(name);
      expect(probability * 10).toBeCloseTo(Math.round(probability * 10), 9);
      expect(bin >= 0 && bin <= 9).toBe(true);
    }
  });

  test('magnitudes run over ten bins', () => {
    const size = { width: 331, height: 662 };
    const last = (name: OperationName): number => magnitudeOf(name, 9, size);
    expect([last('Rotate'), last('Solarize'), last('Posterize')]).toEqual([30, 0, 4]);
    expect([last('TranslateX'), last('TranslateY')]).toEqual([150, 300]);
    expect(last('ShearX')).toBeCloseTo(0.3, 6);
    expect(last('Color')).toBeCloseTo(0.9, 6);
  });

  test('the same seed, the same image; another seed, another', () => {
    const image = noise(20, 30);
    const results = Array.from({ length: 20 }, (_, seed) => autoAugment(image, { seed }));
    results.forEach((result, seed) => expect(torch.equal(result, autoAugment(image, { seed }))).toBe(true));
    expect(new Set(results.map((result) => String(result.data()))).size).toBeGreaterThan(10);
  });

  test('goes on in the stream of a given generator', () => {
    const [random, same] = [new Random(3), new Random(3)];
    const image = noise(20, 30);
    for (let i = 0; i < 5; i++)
      expect(torch.equal(autoAugment(image, { random }), autoAugment(image, { random: same }))).toBe(true);
    expect(random.next()).toBe(same.next());
  });

  test('applies each step with its probability', () => {
    const image = torch.full([3, 1, 1], 255, { dtype: 'uint8' });
    const random = new Random(1);
    const runs = 4000;
    let dark = 0;
    for (let i = 0; i < runs; i++) {
      const result = autoAugment(image, { random });
      if ((result.data() as Uint8Array)[0] < 128) dark++;
      result.dispose();
    }
    // White stays white but for Invert and Solarize, which never meet in a sub-policy.
    const chance = imageNetPolicy
      .map(
        (steps) =>
          steps.filter(([name]) => name === 'Invert' || name === 'Solarize').reduce((sum, [, p]) => sum + p, 0) / 25,
      )
      .reduce((sum, p) => sum + p, 0);
    expect(dark / runs).toBeGreaterThan(chance - 0.03);
    expect(dark / runs).toBeLessThan(chance + 0.03);
  });

  test('leaves one tensor, and the input as it was', () => {
    const image = noise(20, 30);
    const copy = image.clone();
    const before = torch.memory().tensors;
    for (let seed = 0; seed < 30; seed++) autoAugment(image, { seed }).zero_().dispose();
    expect(torch.memory().tensors).toBe(before);
    expect(torch.equal(image, copy)).toBe(true);
  });

  test('refuses a seed that is not an integer', () => {
    expect(() => autoAugment(noise(2, 2), { seed: 0.5 })).toThrow('seed must be an integer, but is 0.5.');
  });
});
