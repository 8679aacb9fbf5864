/** The look of a picture. In a page the colours are CSS variables, so that they follow its light and dark mode. */
export interface Look {
  /** colours of the series, which are used again in the same order when there are more series */
  series: readonly string[];
  /** colour of text and axes */
  text: string;
  background: string;
  /** colour of what stands behind, such as the points of other classes */
  muted: string;
}

/** The look of a file: dark text on white. Each colour has a contrast of at least 4.5 with the background. */
export const light: Look = {
  series: ['#0b62a8', '#b93a0a', '#15703a', '#9d174d', '#6d28d9', '#57534e'],
  text: '#1b1b1f',
  background: '#ffffff',
  muted: '#767680',
};

/** The dark look of a page. */
export const dark: Look = {
  series: ['#7cc4ff', '#ffb070', '#6ee7a0', '#ff9ecb', '#c4b5fd', '#d6d3d1'],
  text: '#ececf1',
  background: '#16181d',
  muted: '#9a9aa6',
};

/** The look of a picture in a page, whose style sheet sets these variables. */
export const variables: Look = {
  series: light.series.map((_, i) => `var(--series-${i})`),
  text: 'var(--text)',
  background: 'var(--background)',
  muted: 'var(--muted)',
};

/** Dashes of the lines of series, so that colour alone does not tell them apart. */
export const dashes = ['none', '6 3', '2 3', '8 3 2 3', '12 4', '4 2 1 2'] as const;

/** Symbols of the points of series. */
export const symbols = ['circle', 'square', 'triangle', 'diamond', 'star', 'wye'] as const;

/** Returns the i-th of some values, which are used again in the same order. */
export const nth = <T>(values: readonly T[], i: number): T => values[i % values.length];
