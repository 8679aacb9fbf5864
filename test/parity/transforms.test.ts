import { preprocess } from '../../src/images/preprocess';
import { temporaryFolder } from '../data/temporary';
import { transformDifference, transformed } from './transforms';

const sizes = [
  [131, 97],
  [97, 131],
  [333, 222],
  [225, 224],
  [224, 227],
  [31, 31],
  [64, 64],
  [300, 11],
  [3, 200],
  [500, 1],
  [1, 1],
  [2, 3],
];
const cases = transformed(temporaryFolder(), sizes, [64, 47]);

const names = [...new Set(cases.map(({ name }) => name))];

test('there are all transforms', () => {
  expect(names).toHaveLength(8);
  expect(cases).toHaveLength(8 * sizes.length * 2);
});

test.each(names)('%s: equal to the byte, and within 1e-6 after normalising', async (name) => {
  for (const each of cases.filter((one) => one.name === name && one.refused !== true)) {
    const { bytes, numbers } = await transformDifference(each);
    expect({ file: each.file, target: each.target, bytes }).toEqual({ file: each.file, target: each.target, bytes: 0 });
    expect(numbers).toBeLessThanOrEqual(1e-6);
  }
});

test('what Python refuses is refused', async () => {
  const refused = cases.filter((one) => one.refused);
  expect(refused.length).toBeGreaterThan(0);
  for (const { file, target, config } of refused) {
    await expect(preprocess(file, { size: target, ...config })).rejects.toThrow('with a long side of');
  }
});
