import { chosenRows, publish, type Result, rowsAgainst, verdict } from './report';
import type { Against } from './rows/row';

// `npm run parity`: measures every row against Python, or those that CLEANCLIP_PARITY names, and writes the report.
const rows = chosenRows(process.env.CLEANCLIP_PARITY);
const sides: Against[] = process.env.CLEANCLIP_REFERENCE ? ['torch', 'reference'] : ['torch'];
const results: Result[] = [];

describe.each(sides)('against %s', (against) => {
  test.each(rowsAgainst(against, rows).map((row) => [row.name, row] as const))(
    '%s',
    async (_, row) => {
      const started = performance.now();
      const parts = await row.measure(against);
      process.stderr.write(`${row.name}, against ${against}: ${((performance.now() - started) / 1000).toFixed(0)} s\n`);
      results.push({ row, against, parts });
      expect(parts.filter((part) => verdict(part) === 'FAIL')).toEqual([]);
    },
    900_000,
  );
});

afterAll(() => publish(results));
