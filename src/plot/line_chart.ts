import { dashes, type Look, nth, symbols } from './colours';
import type { PlotLibrary } from './library';
import { svgText } from './svg_text';

const MOST_POINTS = 1000; // of a line; more are averaged

/** The values of one run over its steps. */
export interface Series {
  /** name of the run */
  name: string;
  /** place of the run among all, which decides on colour, dash and symbol */
  place: number;
  /** step and value, in the order of the steps */
  points: readonly (readonly [number, number])[];
}

/** What a chart of lines shows. */
export interface LineChart {
  /** what is shown: 'Clean accuracy (CA), top 1' */
  title: string;
  /** label of the vertical axis */
  unit: string;
  /** whether values are fractions, which are shown in percent from 0 to 100 */
  percent: boolean;
  series: readonly Series[];
}

/** Size of a picture, in pixels. */
export interface Size {
  width: number;
  height: number;
}

/** Draws a chart of lines over the steps. Returns an `<svg>` element as text. */
export function drawLines({ Plot, document }: PlotLibrary, chart: LineChart, look: Look, size: Size): string {
  const factor = chart.percent ? 100 : 1;
  const marks = chart.series.flatMap(({ place, points }) => {
    const colour = nth(look.series, place);
    const drawn = thin(points, MOST_POINTS).map(([step, value]) => [step, factor * value]);
    const line = Plot.line(drawn, { stroke: colour, strokeWidth: 2, strokeDasharray: nth(dashes, place) });
    const few = drawn.length <= 30 || chart.percent;
    return few ? [line, Plot.dot(drawn, { fill: colour, r: 3, symbol: nth(symbols, place) })] : [line];
  });
  const steps = chart.series.flatMap(({ points }) => points.map(([step]) => step));
  const svg = Plot.plot({
    document,
    ...size,
    className: 'chart',
    marginLeft: 52,
    marginBottom: 40,
    style: { fontSize: '12px', color: look.text },
    x: { label: 'step', nice: true, ticks: 5, tickFormat: 's', domain: spread(steps) },
    y: { label: chart.unit, grid: true, ticks: 5, ...(chart.percent ? { domain: [0, 100] } : { nice: true }) },
    marks: [Plot.ruleY(chart.percent ? [0] : []), ...marks],
  });
  return svgText(svg, chart.title);
}

/** A sentence for each series: where it begins and ends. It is read to those who do not see the picture. */
export function describe({ title, series, percent }: LineChart): string {
  const shown = (value: number): string => (percent ? `${(100 * value).toFixed(1)}%` : String(+value.toPrecision(4)));
  const parts = series.map(({ name, points }) => {
    const [[firstStep, first], [lastStep, last]] = [points[0], points[points.length - 1]];
    return points.length === 1
      ? `${name} has ${shown(first)} at step ${firstStep}.`
      : `${name} goes from ${shown(first)} at step ${firstStep} to ${shown(last)} at step ${lastStep}.`;
  });
  return `${title}, by step. ${parts.join(' ')}`;
}

/** Averages neighbouring points, so that at most `most` are left. */
function thin(points: LineChart['series'][number]['points'], most: number): (readonly [number, number])[] {
  const each = Math.ceil(points.length / most);
  if (each <= 1) return [...points];
  return Array.from({ length: Math.ceil(points.length / each) }, (_, i) => {
    const group = points.slice(i * each, (i + 1) * each);
    const mean = (axis: 0 | 1): number => group.reduce((sum, point) => sum + point[axis], 0) / group.length;
    return [mean(0), mean(1)] as const;
  });
}

/** Returns the smallest and largest value, apart from one another. */
function spread(values: readonly number[]): [number, number] {
  const [low, high] = values.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity]);
  return low < high ? [low, high] : [low - 1, low + 1];
}
