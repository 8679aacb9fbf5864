import {
  autoAugment,
  autoAugmentOp,
  drawSteps,
  imageNetPolicy,
  magnitudeOf,
  type OperationName,
  operationNames,
} from '../../src/augment/autoaugment';
import { augmentOnDevice } from '../../src/augment/device_autoaugment';
import { Random } from '../../src/random';
import { type Tensor, torch } from '../../src/torch';
import { apart, scene } from '../support/images';

const sizes: [height: number, width: number][] = [
  [60, 91],
  [40, 24],
  [2, 7],
  [1, 1],
];
const magnitudes = (name: OperationName, size: { width: number; height: number }): number[] => {
  const all = Array.from({ length: 10 }, (_, bin) => magnitudeOf(name, bin, size));
  return name === 'Posterize' || name === 'Solarize' ? all : [...all, ...all.map((magnitude) => -magnitude)];
};

test.each(operationNames)('%s of each magnitude gives the bytes of the CPU, in every size', (name) => {
  for (const [height, width] of sizes) {
    const image = scene(height, width);
    for (const magnitude of magnitudes(name, { width, height })) {
      const expected = autoAugmentOp(image, name, magnitude);
      expect([magnitude, apart(augmentOnDevice(image, [[name, magnitude]]), expected)]).toEqual([magnitude, 0]);
    }
  }
});

test.each<OperationName>(['AutoContrast', 'Equalize', 'Contrast', 'Sharpness'])('%s takes a plain image', (name) => {
  const image = torch.full([3, 9, 9], 77, { dtype: 'uint8' });
  expect(apart(augmentOnDevice(image, [[name, 0.9]]), autoAugmentOp(image, name, 0.9))).toBe(0);
});

test('the same seed draws the same operations, and gives the same bytes', () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 200; seed++) {
    const image = scene(30 + (seed % 7), 40 - (seed % 5), seed);
    const [, height, width] = image.shape;
    const steps = drawSteps(new Random(seed), { width, height });
    steps.forEach(([name]) => seen.add(name));
    expect(apart(augmentOnDevice(image, steps), autoAugment(image, { seed }))).toBe(0);
  }
  expect([...seen].sort()).toEqual([...new Set(imageNetPolicy.flat().map(([name]) => name))].sort());
});

test('takes an image stored channels last, leaves it as it was, and keeps no tensor', () => {
  const planes = scene(20, 30);
  const image: Tensor = planes.permute([1, 2, 0]).contiguous().permute([2, 0, 1]);
  const before = torch.memory().tensors;
  for (const name of operationNames) {
    const result = augmentOnDevice(image, [[name, name === 'Posterize' ? 3 : 0.4]]);
    expect(apart(result, autoAugmentOp(planes, name, name === 'Posterize' ? 3 : 0.4))).toBe(0);
    result.dispose();
  }
  expect(torch.memory().tensors).toBeLessThanOrEqual(before + operationNames.length);
  expect(torch.equal(image, planes)).toBe(true);
});
