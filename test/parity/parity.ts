import { chosenRows, publish, verdict, type Result } from './report';

// `npm run parity`: measures every row against Python, or those that CLEANCLIP_PARITY names, and writes REPORT.md.
const rows = chosenRows(process.env.CLEANCLIP_PARITY);
const sides = process.env.CLEANCLIP_REFERENCE ? (['torch', 'reference'] as const) : (['torch'] as const);
const results: Result[] = [];

describe.each(sides)('against %s', (against) => {
  const chosen = rows.filter((row) => against === 'torch' || row.reference);
  test.each(chosen.map((row) => [row.name, row] as const))(
    '%s',
    async (_, row) => {
      const parts = await row.measure(against);
      results.push({ row, against, parts });
      expect(parts.filter((part) => verdict(part) === 'FAIL')).toEqual([]);
    },
    900_000,
  );
});

afterAll(() => publish(results));
