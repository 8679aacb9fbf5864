// A short run of the fuzzers; CI and whoever changes operators run them longer: node test/fuzz/operators.js --seed 7
// --seconds 600.
import { join } from 'node:path';

interface Fault {
  seed: number;
  index: number;
  label: string;
  source: string;
  then: string;
  what: string;
}
interface Run {
  kind: 'operators' | 'api';
  seed: number;
  first?: number;
  count: number;
  pattern?: string;
  patience?: number;
}
type Fuzz = (
  options: Run,
  report: (fault: Fault) => void,
) => Promise<{ calls: number; results: number; refused: number; faults: number }>;

// eslint-disable-next-line @typescript-eslint/no-require-imports -- a script of the command line, not compiled
const { fuzz } = require(join(__dirname, 'supervise.js')) as { fuzz: Fuzz };

test.each<Run & { least: number }>([
  { kind: 'operators', seed: 1, count: 2500, least: 0.25 },
  { kind: 'api', seed: 1, count: 2500, least: 0.25 },
])(
  '$count calls of $kind neither crash, hang, leave tensors nor throw without a code',
  async ({ least, ...run }) => {
    const faults: Fault[] = [];
    const { calls, results } = await fuzz(run, (fault) => faults.push(fault));
    expect(faults).toEqual([]);
    expect(calls).toBe(run.count);
    // Enough of them are valid: it is not only the check of arguments that is fuzzed.
    expect(results / calls).toBeGreaterThan(least);
  },
  120_000,
);

test('a read beyond a tensor, an error without a code and a hang are found, named and passed by', async () => {
  const faults: Fault[] = [];
  const { calls } = await fuzz({ kind: 'broken' as 'api', seed: 1, count: 5, patience: 6000 }, (fault) =>
    faults.push(fault),
  );
  expect(calls).toBe(5);
  expect(faults.map(({ index, what }) => `${index}: ${what}`)).toEqual([
    expect.stringMatching(/^1: ends the process with SIGSEGV GUARD at 24 bytes from the start of a tensor of 16 bytes/),
    expect.stringMatching(/^2: an error without a code: RangeError: x/),
    expect.stringMatching(/^3: hangs/),
  ]);
}, 120_000);
