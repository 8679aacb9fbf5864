import { basename } from 'node:path';

import { variables } from '../plot/colours';
import { readCoordinates } from '../plot/coordinates';
import type { PlotLibrary } from '../plot/library';
import { colourOf, describeScatter, drawScatter, type Group } from '../plot/scatter';
import { drawSymbol } from '../plot/symbols';
import { Html, html, type Section } from './html';

const size = { width: 400, height: 400 };

/**
 * Makes the section of embeddings, from csv files of coordinates.
 * @throws CleanclipError `ERR_DATA` when a file cannot be used
 */
export async function embeddingsSection(files: readonly string[], library: PlotLibrary): Promise<Section | undefined> {
  if (files.length === 0) return undefined;
  const parts: Html[] = [];
  for (const file of files) {
    const panels = await readCoordinates(file);
    parts.push(
      html`<h3>${basename(file)}</h3>
        ${legend(panels[0].groups)}
        <div class="charts">
          ${panels.map(
            (panel) =>
              html`<figure>
                <figcaption>${panel.title}</figcaption>
                ${new Html(drawScatter(library, panel, variables, size))}
                <p>${describeScatter(panel)}</p>
              </figure> `,
          )}
        </div>`,
    );
  }
  return {
    id: 'embeddings',
    title: 'Embeddings',
    body: html`<p>Points that are close have similar embeddings; the axes have no meaning.</p>
      ${parts}`,
  };
}

function legend(groups: readonly Group[]): Html {
  return html`<ul class="legend" aria-label="Groups of points">
    ${groups.map((group) => {
      const colour = colourOf(group, variables);
      const paint = group.hollow ? `fill="none" stroke="${colour}" stroke-width="1.5"` : `fill="${colour}"`;
      const path = `<path d="${drawSymbol(group.symbol, 70)}" transform="translate(8,8)" ${paint}/>`;
      return html`<li>${new Html(`<svg width="16" height="16" aria-hidden="true">${path}</svg>`)}${group.name}</li> `;
    })}
  </ul>`;
}
