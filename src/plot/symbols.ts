import type { symbols } from './colours';

const polygon = (points: readonly (readonly [number, number])[]): string =>
  `M${points.map(([x, y]) => `${x.toFixed(2)},${y.toFixed(2)}`).join('L')}Z`;

const ring = (corners: number, radius: (i: number) => number, turn = 0): [number, number][] =>
  Array.from({ length: corners }, (_, i) => {
    const angle = (2 * Math.PI * i) / corners - Math.PI / 2 + turn;
    return [radius(i) * Math.cos(angle), radius(i) * Math.sin(angle)];
  });

/** Returns the path of a symbol around (0, 0), as Observable Plot has it, for legends. `area` is in square pixels. */
export function drawSymbol(symbol: (typeof symbols)[number], area: number): string {
  const side = Math.sqrt(area);
  switch (symbol) {
    case 'circle':
      return circle(Math.sqrt(area / Math.PI));
    case 'square':
      return polygon(ring(4, () => side / Math.SQRT2, Math.PI / 4));
    case 'triangle':
      return polygon(ring(3, () => Math.sqrt((4 * area) / (3 * Math.sqrt(3)))));
    case 'diamond':
      return polygon(ring(4, (i) => (i % 2 === 0 ? 0.9 : 0.55) * side));
    case 'star':
      return polygon(ring(10, (i) => (i % 2 === 0 ? 0.95 : 0.36) * side));
    case 'wye':
      return polygon(ring(6, (i) => (i % 2 === 0 ? 0.3 : 0.85) * side));
  }
}

const circle = (r: number): string => `M${-r},0A${r},${r},0,1,1,${r},0A${r},${r},0,1,1,${-r},0Z`;
