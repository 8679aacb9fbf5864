import { dashes, nth, symbols, variables } from '../plot/colours';
import { curvesOf } from '../plot/curves';
import type { PlotLibrary } from '../plot/library';
import { describe, drawLines, type LineChart } from '../plot/line_chart';
import { drawSymbol } from '../plot/symbols';
import type { RunFolder } from '../run/folder';
import { Html, html, type Section, table } from './html';

const size = { width: 400, height: 260 };
const MOST_ROWS = 40; // of the table under a chart

/** Makes the section of the curves: losses, accuracies and attack success by step, each with a table of its values. */
export function chartsSection(runs: readonly RunFolder[], library: PlotLibrary): Section | undefined {
  const charts = curvesOf(runs);
  if (charts.length === 0) return undefined;
  return {
    id: 'curves',
    title: 'Curves',
    body: html`${runs.length > 1 && legend(runs)}
      <div class="charts">
        ${charts.map(
          (chart) =>
            html`<figure>
              <figcaption>${chart.title}</figcaption>
              ${new Html(drawLines(library, chart, variables, size))}
              <p>${describe(chart)}</p>
              <details>
                <summary>${chart.title}: table</summary>
                ${valuesTable(chart)}
              </details>
            </figure> `,
        )}
      </div>`,
  };
}

function legend(runs: readonly RunFolder[]): Html {
  return html`<ul class="legend" aria-label="Lines of the runs">
    ${runs.map(({ name }, i) => {
      const colour = nth(variables.series, i);
      const line = `<path d="M0,8H40" stroke="${colour}" stroke-width="2" stroke-dasharray="${nth(dashes, i)}"/>`;
      const symbol = `<path d="${drawSymbol(nth(symbols, i), 30)}" transform="translate(20,8)" fill="${colour}"/>`;
      const picture = new Html(`<svg width="40" height="16" aria-hidden="true">${line}${symbol}</svg>`);
      return html`<li>${picture}${name}</li> `;
    })}
  </ul>`;
}

function valuesTable({ title, percent, series }: LineChart): Html {
  const steps = [...new Set(series.flatMap(({ points }) => points.map(([step]) => step)))].sort((a, b) => a - b);
  const every = Math.ceil(steps.length / MOST_ROWS);
  const shown = steps.filter((_, i) => i % every === 0 || i === steps.length - 1);
  const values = series.map(({ points }) => new Map(points));
  const cell = (value: number | undefined): string =>
    value === undefined ? '–' : percent ? `${(100 * value).toFixed(1)}%` : value.toPrecision(4);
  return table({
    caption: `${title}${every > 1 ? `, every ${every}th value` : ''}`,
    head: ['step', ...series.map(({ name }) => name)],
    rows: shown.map((step) => [step, ...values.map((of) => cell(of.get(step)))]),
  });
}
