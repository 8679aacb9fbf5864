import { ProgressLine } from '../../src/cli/progress_line';

let now = 0;
beforeEach(() => {
  now = 0;
  jest.spyOn(performance, 'now').mockImplementation(() => now);
});
afterEach(() => jest.restoreAllMocks());

/** A terminal that keeps the last line. */
function terminal(columns = 200, isTTY = true): { line: ProgressLine; shown: () => string } {
  let last = '';
  const write = (text: string): boolean => {
    last = text.replace('\r\x1b[2K', '');
    return true;
  };
  return { line: new ProgressLine({ isTTY, columns, write }), shown: () => last };
}

const at = (milliseconds: number, update: () => void): void => {
  now = milliseconds;
  update();
};

test('it shows the rate since the beginning, and the time left', () => {
  const { line, shown } = terminal();
  at(0, () => line.update(100, 1100, 'images'));
  expect(shown()).toBe('██░░░░░░░░░░░░░░░░░░ 9%  100/1100  images');
  at(2000, () => line.update(200, 1100, 'images'));
  expect(shown()).toBe('████░░░░░░░░░░░░░░░░ 18%  200/1100  images  50/s  18 s left');
});

test('the second phase has a rate of its own, even when it counts from the same number', () => {
  const { line, shown } = terminal();
  at(0, () => line.update(64, 128, 'images'));
  at(60_000, () => line.update(128, 128, 'images'));
  at(61_000, () => line.update(64, 640, 'captions'));
  at(62_000, () => line.update(128, 640, 'captions'));
  expect(shown()).toMatch(/128\/640 {2}captions {2}64\/s {2}8 s left$/);
});

test('a phase after one of as many begins anew', () => {
  const { line, shown } = terminal();
  at(0, () => line.update(5, 10, 'clean'));
  at(100_000, () => line.update(10, 10, 'clean'));
  at(101_000, () => line.update(5, 10, 'triggered'));
  at(102_000, () => line.update(7, 10, 'triggered'));
  expect(shown()).toMatch(/7\/10 {2}triggered {2}2\/s {2}2 s left$/);
});

test('slow and fast rates, and an unknown total', () => {
  const { line, shown } = terminal();
  at(0, () => line.update(0, 3, 'steps'));
  at(80_000, () => line.update(1, 3, 'steps'));
  expect(shown()).toMatch(/0\.0125\/s {2}2 min 40 s left$/);
  at(80_000, () => line.update(0, 0, 'bytes'));
  at(80_500, () => line.update(6_000_000, 0, 'bytes'));
  at(81_000, () => line.update(12_345_678, 0, 'bytes'));
  expect(shown()).toBe('12345678  bytes  12.3M/s');
});

test('a narrow terminal gets a shorter bar, or none, so that the time left is seen', () => {
  const shownIn = (columns: number): string => {
    const { line, shown } = terminal(columns);
    at(0, () => line.update(0, 1000, 'images'));
    at(1000, () => line.update(500, 1000, 'images'));
    return shown();
  };
  expect(shownIn(63)).toBe('██████████░░░░░░░░░░ 50%  500/1000  images  500/s  1 s left');
  expect(shownIn(55)).toBe('█████░░░░░ 50%  500/1000  images  500/s  1 s left');
  expect(shownIn(45)).toBe('50%  500/1000  images  500/s  1 s left');
});

test('a line longer than the terminal is cut, for only one row can be removed', () => {
  const { line, shown } = terminal(40);
  at(0, () => line.update(1, 10, 'x'.repeat(100)));
  expect([...shown()]).toHaveLength(39);
});

test('it draws at most ten times per second, but always the end', () => {
  const { line, shown } = terminal();
  at(0, () => line.update(1, 10, 'steps'));
  at(50, () => line.update(2, 10, 'steps'));
  expect(shown()).toContain('1/10');
  at(60, () => line.update(10, 10, 'steps'));
  expect(shown()).toContain('10/10');
});

test('it writes nothing where there is no terminal', () => {
  const { line, shown } = terminal(80, false);
  at(0, () => line.update(1, 10, 'steps'));
  line.clear();
  expect(shown()).toBe('');
});
