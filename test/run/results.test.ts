import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { appendResults } from '../../src/run/results';

test('each evaluation adds a row beside the folder of runs, which Python reads', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cleanclip-results-'));
  const logs = `${join(folder, 'logs')}/`;
  appendResults({ logs, name: 'first' }, { zeroshot_top1: 0.25, zeroshot_top3: 1 });
  appendResults({ logs, name: 'with "quotes", and a comma' }, { zeroshot_top1: 0 });
  expect(readFileSync(join(folder, 'results.csv'), 'utf8')).toBe(
    `first,"{'zeroshot_top1': 0.25, 'zeroshot_top3': 1.0}"\n"with ""quotes"", and a comma",{'zeroshot_top1': 0.0}\n`,
  );
  rmSync(folder, { recursive: true });
});
