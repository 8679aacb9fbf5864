import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { readCsv } from '../../src/data/csv';
import { parsePythonLiteral } from '../../src/data/python_literal';
import { epochOrder } from '../../src/data/sampler';
import { python } from './python';

const orders = [
  { n: 1, seed: 0, epoch: 0, shuffle: true, num_replicas: 1 },
  { n: 1000, seed: 42, epoch: 3, shuffle: true, num_replicas: 1 },
  { n: 100_000, seed: 2 ** 31, epoch: 64, shuffle: true, num_replicas: 1 },
  ...[
    { n: 7, num_replicas: 4 },
    { n: 2, num_replicas: 4 },
    { n: 1000, num_replicas: 3 },
  ].flatMap((order) => [true, false].map((shuffle) => ({ ...order, seed: 5, epoch: 2, shuffle }))),
];
const literals = [
  String.raw`'a\tb'`,
  String.raw`"\101\x41\u00e9\U0001F98A\7"`,
  String.raw`r'\n'`,
  `'a' "b"`,
  `'''x\ny'''`,
  `'\\\n'`,
  String.raw`"\'\"\\\a\b\f\v"`,
  `f'{{x}}'`,
  `{"a": [1, -2.5e1, (3,), (4), True, None,],}`,
  `# note\n["tench", u'ü']  # end`,
];
const text = 'image,caption\r\na.png,"one, ""two"""\r\nb.png,"two\nlines"\r\nc.png,\r\n"d.png", spaced \r\n';

const expected = python('data.py', { orders, literals, csv: text }) as {
  orders: number[][][];
  literals: unknown[];
  csv: string[][];
};

test.each(orders.map((order, i) => ({ ...order, i })))(
  '$num_replicas ranks: the order of $n rows, seed $seed, epoch $epoch, shuffled: $shuffle, is DistributedSampler’s',
  ({ i, n, num_replicas: worldSize, ...order }) => {
    expect(expected.orders[i].map((_, rank) => [...epochOrder(n, { ...order, shard: { rank, worldSize } })])).toEqual(
      expected.orders[i],
    );
  },
);

test.each(literals.map((source, i) => ({ source, i })))('$source is what Python evaluates', ({ source, i }) => {
  const value = parsePythonLiteral(source, 'classes.py');
  expect(value instanceof Map ? Object.fromEntries(value) : value).toEqual(expected.literals[i]);
});

test('rows are those of Python’s csv module', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cleanclip-parity-'));
  try {
    writeFileSync(join(folder, 'a.csv'), text);
    const rows: string[][] = [];
    await readCsv(
      join(folder, 'a.csv'),
      { delimiter: ',' },
      (header) => {
        rows.push(header);
        return (fields) => rows.push(fields);
      },
      () => {},
    );
    expect(rows).toEqual(expected.csv);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
