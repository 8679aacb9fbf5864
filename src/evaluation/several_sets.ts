import { join } from 'node:path';

import { stringify } from 'csv-stringify/sync';

import type { Clip } from '../clip/model';
import { type EvalDataType, evalDataTypes } from '../data/data_types';
import { writeFully, writeWhole } from '../files';
import type { TrainOptions } from '../options/train';
import type { JobHooks } from '../progress';
import type { RunLog } from '../run/log';
import { ranks } from '../run/ranks';
import { textTable } from '../text_table';
import { Evaluator, type Measured } from './evaluator';

/** A set to measure on; `name` is undefined when there is only one. */
export interface NamedEvaluator {
  name?: string;
  evaluator: Evaluator;
}

/**
 * Reads the sets that the options name, all before any is measured: validation pairs and a labelled set, or with `eval`
 * several labelled sets.
 * @throws CleanclipError as `Evaluator.open`
 */
export async function openEvaluators(
  clip: Clip,
  options: TrainOptions,
  device: string,
  hooks: JobHooks,
): Promise<NamedEvaluator[]> {
  const { eval: sets } = options;
  if (sets === undefined) return [{ evaluator: await Evaluator.open(clip, options, device, hooks) }];
  const opened: NamedEvaluator[] = [];
  if (options.validationData !== undefined)
    opened.push({ name: 'validation', evaluator: await Evaluator.open(clip, options, device, hooks) });
  for (const set of sets) {
    const [name, folder] = [set.slice(0, set.indexOf('=')), set.slice(set.indexOf('=') + 1)];
    const evalDataType = evalDataTypes.find((type): type is EvalDataType => type === name);
    const own = { evalTestDataDir: folder, evalDataType, validationData: undefined };
    const inResults = join(options.name, name); // results.csv has one row a set
    const evaluator = await Evaluator.open(clip, { ...options, ...own, name: inResults }, device, hooks);
    opened.push({ name, evaluator });
  }
  return opened;
}

/**
 * Measures the model on every set. Of several sets it logs one table, and writes it to `evaluation.csv` and
 * `evaluation.json` in the folder of the run.
 * @returns the metrics by name; of several sets by `<set>/<name>`
 */
export async function evaluateAll(
  evaluators: readonly NamedEvaluator[],
  log: RunLog,
  at: Measured,
): Promise<Record<string, number>> {
  const results: { set: string; metrics: Record<string, number> }[] = [];
  for (const { name, evaluator } of evaluators) {
    if (name === undefined) return evaluator.evaluate(log, at);
    log.info(`Set ${name}`);
    results.push({ set: name, metrics: await evaluator.evaluate(log, { ...at, set: name }) });
  }
  writeTables(results, log);
  return Object.fromEntries(
    results.flatMap(({ set, metrics }) => Object.entries(metrics).map(([name, value]) => [`${set}/${name}`, value])),
  );
}

function writeTables(results: { set: string; metrics: Record<string, number> }[], log: RunLog): void {
  if (ranks().rank > 0) return;
  const names = [...new Set(results.flatMap(({ metrics }) => Object.keys(metrics)))];
  const cells = ({ set, metrics }: (typeof results)[number], digits?: number): Record<string, string> => ({
    set,
    ...Object.fromEntries(
      names.map((name) => [name, metrics[name] === undefined ? '' : format(metrics[name], digits)]),
    ),
  });
  for (const line of textTable(results.map((result) => cells(result, 4))).split('\n')) log.info(line);
  const rows = results.map((result) => cells(result));
  writeText(join(log.folder, 'evaluation.csv'), stringify(rows, { header: true, columns: ['set', ...names] }));
  writeText(
    join(log.folder, 'evaluation.json'),
    `${JSON.stringify(
      results.map(({ set, metrics }) => ({ set, ...metrics })),
      undefined,
      2,
    )}\n`,
  );
}

const format = (value: number, digits?: number): string =>
  digits === undefined ? String(value) : value.toFixed(digits);

const writeText = (path: string, text: string): void => writeWhole(path, (fd) => writeFully(fd, Buffer.from(text)));
