import { dark, light, type Look } from '../plot/colours';

const colours = ({ series, text, background, muted }: Look): string =>
  [
    ...series.map((colour, i) => `--series-${i}: ${colour};`),
    `--text: ${text}; --background: ${background}; --muted: ${muted};`,
  ].join(' ');

/** The style sheet of a report: light or dark as the reader's system, narrow and wide, and on paper. */
export const style = `
:root { color-scheme: light dark; ${colours(light)} --line: #c9c9d1; --raised: #f5f5f8; --link: #0b4fa0; }
@media (prefers-color-scheme: dark) {
  :root { ${colours(dark)} --line: #454852; --raised: #20232a; --link: #9ecbff; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 76rem; background: var(--background); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0.5rem 0; }
h2 { font-size: 1.25rem; margin: 2rem 0 0.5rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 1rem 0 0.25rem; }
a { color: var(--link); }
a:focus-visible, summary:focus-visible, .scroll:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; left: -999rem; }
.skip:focus { left: 1rem; background: var(--background); padding: 0.25rem 0.5rem; }
nav ul { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; }
nav a { display: inline-block; padding: 0.25rem 0; }
.scroll { overflow-x: auto; max-width: 100%; margin: 0.75rem 0; }
table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: 0.25rem 0; }
th, td { border: 1px solid var(--line); padding: 0.3rem 0.6rem; text-align: left; vertical-align: top;
  overflow-wrap: normal; }
td { max-width: 26rem; overflow-wrap: anywhere; }
tbody th, td.short { white-space: nowrap; overflow-wrap: normal; }
.long { min-width: 15rem; max-width: 26rem; white-space: normal; overflow-wrap: anywhere; }
thead th { background: var(--raised); }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 21rem), 1fr)); gap: 1rem; }
figure { margin: 0; padding: 0.75rem; background: var(--background); border: 1px solid var(--line);
  border-radius: 0.5rem; min-width: 0; }
figure svg.chart { display: block; width: 100%; height: auto; overflow: visible; }
svg.chart text { white-space: pre; }
figcaption { font-weight: 600; margin-bottom: 0.25rem; }
.legend { list-style: none; margin: 0.5rem 0; padding: 0; display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; }
.legend li { display: flex; align-items: center; gap: 0.5rem; }
.legend svg { flex: none; }
.images { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: 0.75rem; padding: 0;
  list-style: none; }
.images li { border: 1px solid var(--line); border-radius: 0.5rem; padding: 0.5rem; font-size: 0.85rem; }
.images img { display: block; width: 100%; max-width: 8rem; margin: 0 auto 0.25rem; image-rendering: pixelated; }
.images dl { margin: 0; }
.images dt { font-weight: 600; }
.images dd { margin: 0 0 0.2rem; }
.swatch { color: var(--muted); }
details { margin: 0.5rem 0; }
summary { cursor: pointer; padding: 0.25rem 0; }
.notes li { margin: 0.25rem 0; }
@media print {
  :root { color-scheme: light; ${colours(light)} --line: #999999; --raised: #f2f2f2; --link: #000000; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  nav, .skip { display: none; }
  .scroll { overflow: visible; }
  table { font-size: 8pt; }
  figure, tr, .images li { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  details::details-content { content-visibility: visible; block-size: auto; }
}
`;
