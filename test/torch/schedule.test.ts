import { cosineSchedule } from '../../src/torch/schedule';

describe('cosineSchedule', () => {
  const rate = cosineSchedule(0.1, 4, 12);

  test('rises linearly over the warm-up', () => {
    expect([0, 1, 2, 3].map(rate)).toEqual([0.025, 0.05, 0.075, 0.1].map((x) => expect.closeTo(x, 12)));
  });

  test('falls by half a cosine to 0', () => {
    expect(rate(4)).toBeCloseTo(0.1, 12);
    expect(rate(8)).toBeCloseTo(0.05, 12);
    expect(rate(12)).toBeCloseTo(0, 12);
  });

  test('starts at the base rate without a warm-up', () => {
    expect(cosineSchedule(2, 0, 10)(0)).toBe(2);
  });
});
