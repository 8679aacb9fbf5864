import type { Pixels } from './autoaugment_ops';

/** a, b, c, d, e, f: the result at (x, y) shows the input at (a·x + b·y + c, d·x + e·y + f), measured at pixel centres. */
export type Matrix = readonly [number, number, number, number, number, number];

/**
 * Nearest-neighbour affine transform as PIL's `Image.transform(size, AFFINE, matrix)`: positions in 16.16 fixed point,
 * black where nothing falls.
 */
export function affine({ data, width, height }: Pixels, [a, b, c, d, e, f]: Matrix): Pixels {
  const result = new Uint8Array(data.length);
  const [alongX, alongY] = [fixed(a), fixed(d)];
  const [downX, downY] = [fixed(b), fixed(e)];
  let rowX = fixed(c + a * 0.5 + b * 0.5);
  let rowY = fixed(f + d * 0.5 + e * 0.5);
  let to = 0;
  for (let y = 0; y < height; y++, rowX += downX, rowY += downY) {
    let [atX, atY] = [rowX, rowY];
    for (let x = 0; x < width; x++, atX += alongX, atY += alongY, to += 3) {
      const fromX = Math.floor(atX / 65536);
      const fromY = Math.floor(atY / 65536);
      if (fromX < 0 || fromX >= width || fromY < 0 || fromY >= height) continue;
      const from = (fromY * width + fromX) * 3;
      result[to] = data[from];
      result[to + 1] = data[from + 1];
      result[to + 2] = data[from + 2];
    }
  }
  return { data: result, width, height };
}

const fixed = (value: number): number => Math.floor(value * 65536 + 0.5);

/** The matrix of PIL's `Image.rotate`: counter-clockwise about the middle, sine and cosine rounded to 15 decimals. */
export function rotation(degrees: number, width: number, height: number): Matrix {
  const angle = -(((degrees % 360) + 360) % 360) * (Math.PI / 180);
  const cos = Number(Math.cos(angle).toFixed(15));
  const sin = Number(Math.sin(angle).toFixed(15));
  const [x, y] = [width / 2, height / 2];
  return [cos, sin, cos * -x + sin * -y + x, -sin, cos, -sin * -x + cos * -y + y];
}
