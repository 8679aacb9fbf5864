import { anInteger, checkInteger, isInteger } from '../src/integers';

test.each([
  [undefined, undefined, 'an integer'],
  [1, undefined, 'an integer of at least 1'],
  [undefined, 9, 'an integer of at most 9'],
  [0, 4096, 'an integer from 0 to 4,096'],
])('bounds %p to %p read as "%s"', (least, most, words) => {
  expect(anInteger(least, most)).toBe(words);
});

test.each([NaN, Infinity, 1.5, '1', null, undefined, 2n, 2 ** 53, -1, 11])('%p is no integer from 0 to 10', (value) => {
  expect(isInteger(value, 0, 10)).toBe(false);
  expect(() => checkInteger('size', value, { least: 0, most: 10, ofWhat: 'pixels' })).toThrow(
    /^size must be an integer from 0 to 10 \(pixels\), but is .+\.$/,
  );
});

test.each([0, 10])('a bound belongs to its range: %p', (value) => {
  expect(checkInteger('size', value, { least: 0, most: 10 })).toBe(value);
});
