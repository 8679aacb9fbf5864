import { basename } from 'node:path';

import { isShare, metricTitle } from '../plot/curves';
import type { RunFolder } from '../run/folder';
import { type MetricsRecord, NO_METRICS } from '../run/log';
import { html, type Section, table } from './html';
import { wilson } from './wilson';

/** The last measurement of a model on a set. */
interface Measurement {
  /** name of the run, of the checkpoint if it is named, and of the set if there are several */
  name: string;
  metrics: ReadonlyMap<string, number>;
  /** clean and triggered images of the labelled set; unknown in logs of earlier versions */
  images?: number;
  triggered?: number;
}

/** Makes the section of final results: the last evaluation of each model on each set, with intervals. */
export function resultsSection(runs: readonly RunFolder[]): Section | undefined {
  const all = runs.flatMap(measurementsOf);
  if (all.length === 0) return undefined;
  const names = [...new Set(all.flatMap(({ metrics }) => [...metrics.keys()]))];
  const first = names.filter((name) => !isShare(name) || /_top1$|accuracy$/.test(name));
  const rowsOf = (columns: readonly string[]): string[][] =>
    all.map((one) => [one.name, ...columns.map((name) => cell(one, name))]);
  const head = (columns: readonly string[]): string[] => ['model', ...columns.map(metricTitle)];
  const counted = all.some(({ images }) => images !== undefined);
  const uncounted = all.some(({ images, metrics }) => images === undefined && [...metrics.keys()].some(isShare));
  return {
    id: 'results',
    title: 'Final results',
    body: html`<p>
        Accuracies and rates are in percent.
        ${counted && 'In parentheses stand 95% Wilson intervals, which count each image as an independent trial.'}
        ${uncounted && 'Where the log does not say how many images were measured, there is no interval.'}
      </p>
      ${table({ caption: 'Last evaluation of each model', head: head(first), rows: rowsOf(first) })}
      ${
        names.length > first.length &&
        html`<details>
          <summary>All metrics, with top 3, 5 and 10</summary>
          ${table({ caption: 'All metrics', head: head(names), rows: rowsOf(names) })}
        </details>`
      }`,
  };
}

function cell({ metrics, images, triggered }: Measurement, name: string): string {
  const value = metrics.get(name);
  if (value === undefined) return '–';
  if (!isShare(name)) return value.toPrecision(4);
  const n = /^(asr|triggered)_/.test(name) ? triggered : images;
  const percent = (share: number): string => (100 * share).toFixed(1);
  if (n === undefined || !(n > 0) || value < 0 || value > 1) return percent(value);
  const [low, high] = wilson(value, n);
  return `${percent(value)} (${percent(low)}–${percent(high)})`;
}

/** Returns the last evaluation of the run itself, and of each checkpoint that it measured, for each set. */
function measurementsOf({ name, records }: RunFolder): Measurement[] {
  const evaluations = records.filter(({ type }) => type === 'evaluation');
  const last = new Map<string, MetricsRecord>();
  const setOf = ({ set, folder }: MetricsRecord): unknown => set ?? folder;
  for (const record of evaluations) last.set(JSON.stringify([record.checkpoint, setOf(record)]), record);
  const several = new Set(evaluations.map(setOf)).size > 1;
  return Array.from(last.values(), (record) => {
    const { checkpoint, images, triggered_images: triggered, epoch } = record;
    const set = setOf(record);
    const of = typeof checkpoint === 'string' ? basename(checkpoint) : `epoch ${epoch}`;
    const on = several && typeof set === 'string' ? `, ${basename(set)}` : '';
    const metrics = Object.entries(record).flatMap(([metric, value]) =>
      typeof value === 'number' && !NO_METRICS.includes(metric) ? [[metric, value] as const] : [],
    );
    const count = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);
    return {
      name: `${name}, ${of}${on}`,
      metrics: new Map(metrics),
      images: count(images),
      triggered: count(triggered),
    };
  });
}
