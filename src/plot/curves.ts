import { isDeepStrictEqual } from 'node:util';

import type { RunFolder } from '../run/folder';
import type { LineChart } from './line_chart';

/** The names of metrics in words. */
const words: Record<string, string> = {
  zeroshot: 'Clean accuracy (CA)',
  triggered_zeroshot: 'Accuracy with the trigger',
  asr: 'Attack success rate (ASR)',
  linear_probe_accuracy: 'Clean accuracy of the linear probe',
  triggered_linear_probe_accuracy: 'Accuracy of the linear probe with the trigger',
  finetune_accuracy: 'Clean accuracy of the finetuned classifier',
  triggered_finetune_accuracy: 'Accuracy of the finetuned classifier with the trigger',
};

const losses: Record<string, string> = {
  loss: 'Training loss',
  contrastive_loss: 'Contrastive loss',
  inmodal_loss: 'In-modal loss',
  constraint_loss: 'Constraint loss',
  validation_loss: 'Validation loss',
};

/** Returns a metric in words: `zeroshot_top1` is 'Clean accuracy (CA), top 1'. */
export function metricTitle(name: string): string {
  if (name === 'loss') return losses.validation_loss;
  const [, stem, k] = /^(.+)_top(\d+)$/.exec(name) ?? [];
  if (stem === undefined) return words[name] ?? inWords(name);
  return `${words[stem] ?? inWords(stem)}, top ${k}`;
}

const inWords = (name: string): string => {
  const text = name.replaceAll('_', ' ');
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
};

/** Tells whether a metric is a share of images, from 0 to 1. */
export const isShare = (name: string): boolean => /_top\d+$|accuracy$|precision$|recall$/.test(name);

/**
 * Makes the charts of runs: each loss of the training, the validation loss, and accuracies and attack success by step.
 * A chart is left out when no run has two values for it.
 */
export function curvesOf(runs: readonly RunFolder[]): LineChart[] {
  const charts = new Map<string, LineChart>();
  for (const [place, run] of runs.entries()) {
    const values = valuesOf(run);
    for (const [name, points] of values) {
      const isPart = name.startsWith('train ') && name !== 'train loss';
      if (isPart && isDeepStrictEqual(points, values.get('train loss'))) continue; // the only part of the loss
      const [type, metric] = name.split(' ');
      const percent = type === 'evaluation' && isShare(metric);
      const title = type === 'train' ? (losses[metric] ?? inWords(metric)) : metricTitle(metric);
      const chart = charts.get(name) ?? { title, unit: percent ? 'percent' : 'loss', percent, series: [] };
      charts.set(name, { ...chart, series: [...chart.series, { name: run.name, place, points }] });
    }
  }
  const drawn = [...charts.entries()].filter(([, { series }]) => series.some(({ points }) => points.length > 1));
  return drawn.sort(([a], [b]) => rank(a) - rank(b)).map(([, chart]) => chart);
}

/** The order of charts: the training loss, its parts, the validation loss, CA, ASR, then the rest. */
function rank(name: string): number {
  const first = ['train loss', 'evaluation loss', 'evaluation zeroshot_top1', 'evaluation asr_top1'].indexOf(name);
  return first >= 0 ? first : name.startsWith('train') ? 10 : 20;
}

function valuesOf({ records }: RunFolder): Map<string, [number, number][]> {
  const values = new Map<string, Map<number, number>>();
  for (const record of records) {
    const { type, step } = record;
    if (type !== 'train' && type !== 'evaluation') continue;
    for (const [name, value] of Object.entries(record)) {
      const wanted = type === 'train' ? /^(\w+_)?loss$/.test(name) : /^loss$|_top1$|accuracy$/.test(name);
      if (!wanted || typeof value !== 'number') continue;
      const key = `${type} ${name}`;
      if (!values.has(key)) values.set(key, new Map());
      if (!values.get(key)!.has(step)) values.get(key)!.set(step, value); // the first set that is measured at a step
    }
  }
  return new Map(Array.from(values, ([name, points]) => [name, [...points].sort(([a], [b]) => a - b)] as const));
}
