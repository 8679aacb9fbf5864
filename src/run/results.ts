import { dirname, join, resolve } from 'node:path';

import { stringify } from 'csv-stringify/sync';

import { append } from '../files';

/**
 * Adds a row to `results.csv` beside the folder of all runs, as the Python code does after a zero-shot evaluation. The
 * row holds the name of the run, and its metrics as a Python dict.
 * @param run `logs` is the folder of all runs
 * @throws CleanclipError `ERR_DATA` when the file cannot be written
 */
export function appendResults({ logs, name }: { logs: string; name: string }, metrics: Record<string, number>): void {
  const python = (value: number): string => (Number.isInteger(value) ? value.toFixed(1) : String(value));
  const entries = Object.entries(metrics).map(([key, value]) => `'${key}': ${python(value)}`);
  append(join(dirname(resolve(logs)), 'results.csv'), stringify([[name, `{${entries.join(', ')}}`]]));
}
