import { type Look, nth } from './colours';
import type { PlotLibrary } from './library';
import type { Size } from './line_chart';
import { svgText } from './svg_text';

/** A group of points of one colour and symbol, which has a line in the legend. */
export interface Group {
  name: string;
  /** place of its colour among those of the look; undefined for the muted colour */
  colour?: number;
  /** symbol of its points, of symbols whose shapes differ without colour too */
  symbol: 'circle' | 'triangle' | 'square' | 'diamond';
  /** whether points are hollow */
  hollow?: boolean;
}

/** What a picture of embeddings shows: a point for each row. */
export interface Scatter {
  title: string;
  groups: readonly Group[];
  /** x, y and place of the group of each point; later groups are drawn above earlier ones */
  points: readonly (readonly [number, number, number])[];
}

/** Returns the colour of a group. */
export const colourOf = ({ colour }: Group, look: Look): string =>
  colour === undefined ? look.muted : nth(look.series, colour);

/** Draws points without axes, for their coordinates mean nothing. Returns an `<svg>` element as text. */
export function drawScatter({ Plot, document }: PlotLibrary, scatter: Scatter, look: Look, size: Size): string {
  const { title, groups, points } = scatter;
  const radius = points.length > 3000 ? 1.6 : points.length > 600 ? 2.2 : 3.2;
  const marks = groups.map((group, g) => {
    const own = points.filter(([, , at]) => at === g).map(([x, y]) => [x, y] as [number, number]);
    const colour = colourOf(group, look);
    const symbol = { symbol: group.symbol, r: group.symbol === 'circle' ? radius : radius * 1.3 };
    return Plot.dot(
      own,
      group.hollow
        ? { ...symbol, stroke: colour, strokeWidth: 1.2, fill: 'none' }
        : { ...symbol, fill: colour, fillOpacity: 0.75, stroke: 'none' },
    );
  });
  const [x, y] = domains(points);
  const svg = Plot.plot({
    document,
    ...size,
    className: 'chart',
    margin: 8,
    axis: null,
    inset: 8,
    x: { domain: x },
    y: { domain: y },
    style: { color: look.text },
    marks: [Plot.frame({ stroke: look.muted, strokeOpacity: 0.5 }), ...marks],
  });
  return svgText(svg, title);
}

/** Returns the ranges of both axes, which are of one length, so that distances compare. */
function domains(points: Scatter['points']): [number, number][] {
  const ranges = ([0, 1] as const).map((axis) => {
    let [low, high] = [Infinity, -Infinity];
    for (const point of points) {
      low = Math.min(low, point[axis]);
      high = Math.max(high, point[axis]);
    }
    return { middle: (low + high) / 2, length: high - low };
  });
  const half = Math.max(...ranges.map(({ length }) => length), 1e-12) / 2;
  return ranges.map(({ middle }) => [middle - half, middle + half]);
}

/** A sentence that counts the points of each group, for those who do not see the picture. */
export function describeScatter({ title, groups, points }: Scatter): string {
  const counts = groups.map(({ name }, g) => `${points.filter(([, , at]) => at === g).length} ${name}`);
  return `${title}: ${points.length} points, ${counts.join(', ')}.`;
}
