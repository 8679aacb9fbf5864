import { escapeUTF8 } from 'entities';

import { shown } from '../errors';

/** Text that is HTML already, and is not escaped again. */
export class Html {
  constructor(readonly text: string) {}
}

type Value = Html | string | number | undefined | false | readonly Value[];

/** Makes HTML of a template. Every value is escaped, unless it is HTML itself; `undefined` and `false` vanish. */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  return new Html(strings.map((text, i) => text + (i < values.length ? escape(values[i]) : '')).join(''));
}

function escape(value: Value): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map(escape).join('');
  return escapeUTF8(shown(String(value), 2000));
}

/** A table of a page. */
export interface Table {
  caption: string;
  head: readonly string[];
  /** the first cell of each row is its heading */
  rows: readonly (readonly Value[])[];
}

/** Makes a table that scrolls by itself, also by keyboard, where it is wider than the page. */
export function table({ caption, head, rows }: Table): Html {
  return html`<div class="scroll" role="region" tabindex="0" aria-label="${caption}">
    <table>
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${head.map((cell) => html`<th scope="col">${cell}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ([first, ...cells]) =>
            html`<tr>
              <th scope="row" class="${widthOf(first)}">${first}</th>
              ${cells.map((cell) => html`<td class="${widthOf(cell)}">${cell}</td>`)}
            </tr> `,
        )}
      </tbody>
    </table>
  </div> `;
}

// Long texts, such as paths, get room to break; short ones stay on a line.
const widthOf = (cell: Value): string => (typeof cell === 'string' && cell.length > 30 ? 'long' : 'short');

/** A section of a page, which the list of contents links to. */
export interface Section {
  id: string;
  title: string;
  body: Html;
}
