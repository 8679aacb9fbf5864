import { escapeUTF8 } from 'entities';

import { dashes, light, nth, symbols } from './colours';
import type { Size } from './line_chart';
import { colourOf, type Group } from './scatter';
import { drawSymbol } from './symbols';

const LETTER = 7; // pixels of width, on average
const GAP = 16; // pixels between the parts of a figure

/** A part of a figure: an `<svg>` element as text, with its title. */
export interface Panel {
  title: string;
  /** a sentence for those who do not see the picture */
  description: string;
  svg: string;
}

/** A line of a legend. */
export interface Entry {
  name: string;
  /** SVG of at most 32 × 16 pixels, around the point (16, 8) */
  picture: string;
}

/** Makes the entry of a group of points. */
export function groupEntry(group: Group): Entry {
  const colour = colourOf(group, light);
  const paint = group.hollow ? `fill="none" stroke="${colour}"` : `fill="${colour}"`;
  return {
    name: group.name,
    picture: `<path d="${drawSymbol(group.symbol, 64)}" transform="translate(16,8)" ${paint}/>`,
  };
}

/** Makes the entry of the lines of a run. */
export function runEntry(name: string, place: number): Entry {
  const colour = nth(light.series, place);
  const line = `<path d="M0,8H32" stroke="${colour}" stroke-width="2" stroke-dasharray="${nth(dashes, place)}"/>`;
  const symbol = `<path d="${drawSymbol(nth(symbols, place), 30)}" transform="translate(16,8)" fill="${colour}"/>`;
  return { name, picture: line + symbol };
}

/** Makes an SVG file of panels in rows of `columns`, with a legend above them. Text in it is escaped. */
export function figure(panels: readonly Panel[], legend: readonly Entry[], size: Size, columns: number): string {
  const across = Math.min(columns, panels.length);
  const width = across * (size.width + GAP) + GAP;
  const head = drawLegend(legend, width - 2 * GAP);
  const top = GAP + head.height;
  const step = size.height + 24 + GAP;
  const height = top + Math.ceil(panels.length / across) * step;
  const drawn = panels.map(({ title, description, svg }, i) => {
    const x = GAP + (i % across) * (size.width + GAP);
    const y = top + Math.floor(i / across) * step;
    const words = cut(title, size.width / (LETTER + 1));
    return (
      `<g transform="translate(${x},${y})"><desc>${escapeUTF8(description)}</desc>` +
      `<text y="16" font-size="14" font-weight="bold">${escapeUTF8(words)}</text>` +
      `<g transform="translate(0,24)">${svg}</g></g>`
    );
  });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${width}" ` +
    `height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12" ` +
    `fill="${light.text}" color="${light.text}" role="img">` +
    `<title>${escapeUTF8(panels.map(({ title }) => title).join(', '))}</title>` +
    `<rect width="100%" height="100%" fill="${light.background}"/>` +
    `<g transform="translate(${GAP},${GAP})">${head.svg}</g>${drawn.join('')}</svg>\n`
  );
}

function drawLegend(entries: readonly Entry[], width: number): { svg: string; height: number } {
  let [x, y] = [0, 0];
  const parts = entries.map(({ name, picture }) => {
    const words = cut(name, 60);
    const needed = 40 + LETTER * [...words].length + GAP;
    if (x > 0 && x + needed > width) [x, y] = [0, y + 22];
    const part = `<g transform="translate(${x},${y})">${picture}<text x="38" y="12">${escapeUTF8(words)}</text></g>`;
    x += needed;
    return part;
  });
  return { svg: parts.join(''), height: entries.length === 0 ? 0 : y + 30 };
}

const cut = (text: string, letters: number): string =>
  [...text].length > letters ? `${[...text].slice(0, Math.floor(letters) - 1).join('')}…` : text;
