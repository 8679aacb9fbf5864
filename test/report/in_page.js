/* global document, getComputedStyle, SVGElement, SVGTextElement */
// Functions that run in a page of Chromium: `checks` is the value of this script.
({
  /** What stands in the page for those who do not see it. */
  structure() {
    const all = (selector) => [...document.querySelectorAll(selector)];
    return {
      language: document.documentElement.lang,
      levels: all('h1, h2, h3').map(({ tagName }) => Number(tagName[1])),
      equalIds: all('[id]').length - new Set(all('[id]').map(({ id }) => id)).size,
      captions: all('table').every((table) => table.caption?.textContent.trim() !== ''),
      headed: all('th').every((cell) => cell.hasAttribute('scope')),
      images: all('img').every((image) => image.alt !== '' && image.naturalWidth > 0),
      pictures: all('figure svg').every((svg) => Boolean(svg.getAttribute('aria-label'))),
      brokenLinks: all('a').filter((link) => document.querySelector(link.hash) === null).length,
      scripts: document.scripts.length,
    };
  },

  greyHeading() {
    document.querySelector('h1').style.color = '#888';
  },

  openDetails() {
    for (const details of document.querySelectorAll('details')) details.open = true;
  },

  /** The place of the focus among what can have it, and its outline. */
  focus() {
    const all = [...document.querySelectorAll('a, summary, .scroll')];
    const style = getComputedStyle(document.activeElement).outlineStyle;
    return { place: all.indexOf(document.activeElement), outline: style };
  },

  background: () => getComputedStyle(document.body).backgroundColor,

  /** Pixels of height of the smallest text in a chart. */
  smallestText: () =>
    Math.min(...[...document.querySelectorAll('figure svg text')].map((text) => text.getBoundingClientRect().height)),

  hiddenTables: () =>
    [...document.querySelectorAll('details table')].filter((table) => table.getBoundingClientRect().height === 0)
      .length,

  /**
   * Texts whose contrast with what is behind them is below 4.5 (WCAG 2.1, 1.4.3), and graphics below 3 (1.4.11).
   */
  lowContrasts() {
    const parse = (colour) => (colour.match(/[\d.]+/g) ?? ['0', '0', '0', '0']).map(Number);
    const luminance = (colour) => {
      const linear = colour.slice(0, 3).map((value) => {
        const share = value / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
    };
    const behind = (element) => {
      for (let at = element; at !== null; at = at.parentElement) {
        const colour = parse(getComputedStyle(at).backgroundColor);
        if (colour.length === 3) return colour; // not transparent
      }
      return [255, 255, 255];
    };
    const contrast = (element, colour) => {
      const [light, dark] = [luminance(parse(colour)), luminance(behind(element))].sort((a, b) => b - a);
      return (light + 0.05) / (dark + 0.05);
    };
    const marks = '[aria-label="line"], [aria-label="dot"]';
    const found = [];
    for (const element of document.querySelectorAll('body *')) {
      const style = getComputedStyle(element);
      const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== '');
      const drawn = element instanceof SVGElement;
      const isMark = drawn && ['path', 'circle'].includes(element.tagName) && element.closest(marks) !== null;
      if (!isMark && (!hasText || element.tagName === 'style')) continue;
      const colour = !drawn ? style.color : style.fill === 'none' ? style.stroke : style.fill;
      const ratio = contrast(element, colour);
      const isText = !drawn || element instanceof SVGTextElement;
      if (ratio < (isText ? 4.5 : 3))
        found.push(`${element.tagName} ${element.textContent.slice(0, 40)}: ${ratio.toFixed(2)}`);
    }
    return found;
  },
});
