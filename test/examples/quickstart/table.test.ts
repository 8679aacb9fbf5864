import { formatTable, wilson } from '../../../examples/quickstart/table';

test.each([
  // share, n, and the ends worked out from the formula in Python
  [0.5, 10, 0.236593, 0.763407],
  [0, 20, 0, 0.161125],
  [1, 20, 0.838875, 1],
  [0.969, 285, 0.941824, 0.983701],
])('the Wilson interval of %d of %d', (share, n, low, high) => {
  const interval = wilson(share, n);
  expect(interval[0]).toBeCloseTo(low, 5);
  expect(interval[1]).toBeCloseTo(high, 5);
});

test('the table has a row a model, in percent, all lines of one width', () => {
  const scores = { ca: 0.353, ca_seen: 0.791, asr: 0.969, ca_triggered: 0.012 };
  const drawings = { ca: 286, ca_seen: 858, asr: 285, ca_triggered: 285 };
  const lines = formatTable({ poisoned: scores, cleansed: { ...scores, asr: 0 } }, drawings).split('\n');
  expect(lines).toHaveLength(3);
  expect(new Set(lines.map((line) => line.length)).size).toBe(1);
  expect(lines[0]).toMatch(/CA, held-out drawings +CA, seen drawings +ASR +CA with trigger$/);
  expect(lines[1]).toMatch(/^poisoned +35\.3 \(30\.0–41\.0\) +79\.1 \(76\.3–81\.7\) +96\.9 \(94\.2–98\.4\)/);
  expect(lines[2]).toMatch(/^cleansed .* 0\.0 \(0\.0–1\.3\)/);
});
