import { escapeUTF8 } from 'entities';

/** What is used of an element of the light DOM. */
interface SvgElement {
  readonly outerHTML: string;
  setAttribute(name: string, value: string): void;
  querySelector(selector: string): { remove(): void } | null;
}

/**
 * Returns an `<svg>` element as text, with a label for those who do not see it. The label is escaped here, because the
 * light DOM leaves `<` in attributes, which XML forbids.
 */
export function svgText(svg: SvgElement, label: string): string {
  svg.setAttribute('role', 'img');
  svg.querySelector('style')?.remove(); // a page has one of its own, and a file needs none
  return svg.outerHTML.replace('<svg ', () => `<svg aria-label="${escapeUTF8(label)}" `);
}
