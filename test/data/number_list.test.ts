import { NumberList } from '../../src/data/number_list';

test.each([0, 1, 65_536, 200_001])('%i numbers come back as they were, each in the bytes of its type', (count) => {
  const [bytes, doubles] = [new NumberList(Uint8Array), new NumberList(Float64Array)];
  for (let i = 0; i < count; i++) {
    bytes.push(i & 255);
    doubles.push(i / 3);
  }
  const [small, large] = [new Uint8Array(bytes.finish()), new Float64Array(doubles.finish())];
  expect([small.length, large.length]).toEqual([count, count]);
  expect(small.every((value, i) => value === (i & 255))).toBe(true);
  expect(large.every((value, i) => value === i / 3)).toBe(true);
});

test('a list that was finished is empty', () => {
  const list = new NumberList(Uint8Array);
  list.push(7);
  list.finish();
  list.push(8);
  expect([...new Uint8Array(list.finish())]).toEqual([8]);
});
