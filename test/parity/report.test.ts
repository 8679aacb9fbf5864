import { existsSync, readFileSync } from 'node:fs';

import { chosenRows, reportFiles, rowsAgainst, verdict } from './report';
import { sameDistribution } from './rows/eda';
import { type Against, byteDifference } from './rows/row';

describe.each(Object.keys(reportFiles) as Against[])('the committed report against %s', (against) => {
  const cells = existsSync(reportFiles[against])
    ? readFileSync(reportFiles[against], 'utf8')
        .split('\n')
        .filter((line) => line.startsWith('|'))
        .map((line) => line.split('|').map((cell) => cell.trim()))
    : [];

  test('has every row of the harness, each with what was measured', () => {
    const titles = cells.flatMap(([, title], i) =>
      title.startsWith('**') ? [[title.replaceAll('*', ''), cells[i + 1]?.[1]]] : [],
    );
    expect(titles).toEqual(rowsAgainst(against).map((row) => [row.name, '']));
  });

  test('has no row over its limit, and a note for each difference that has to be', () => {
    const verdicts = cells
      .slice(2)
      .filter(([, title]) => title === '')
      .map((line) => line[6]);
    expect(verdicts.filter((text) => !/^pass( \[\d+\])?$|^explained \[\d+\]$/.test(text))).toEqual([]);
  });
});

test('a row can be chosen, a wrong name is refused', () => {
  expect(chosenRows('tokens step').map((row) => row.name)).toEqual(['step', 'tokens']);
  expect(() => chosenRows('token')).toThrow(/no row 'token'; the rows are features, models, step/);
});

test('a part fails above its limit, or below one that is a minimum', () => {
  const part = { part: '', cases: 1, limit: 0.5 };
  expect([0.5, 0.6, NaN].map((measured) => verdict({ ...part, measured }))).toEqual(['pass', 'FAIL', 'FAIL']);
  expect([0.5, 0.4, NaN].map((measured) => verdict({ ...part, measured, atLeast: true }))).toEqual([
    'pass',
    'FAIL',
    'FAIL',
  ]);
  expect(verdict({ ...part, measured: 0.6, explained: true })).toBe('explained');
  expect(verdict({ ...part, measured: NaN, explained: true })).toBe('FAIL');
  expect(verdict({ ...part, measured: 0, cases: 0 })).toBe('FAIL');
});

test('differences of bytes and of distributions are seen', () => {
  expect(byteDifference(Uint8Array.of(1, 2, 3, 4), Uint8Array.of(1, 5, 3, 3))).toBe(3);
  const sample = (a: number, b: number): string[] => [...Array<string>(a).fill('a'), ...Array<string>(b).fill('b')];
  expect(sameDistribution(sample(500, 500), sample(520, 480))).toBeCloseTo(0.371, 3); // by scipy.stats.chi2_contingency
  expect(sameDistribution(sample(500, 500), sample(600, 400))).toBeLessThan(1e-4);
});
