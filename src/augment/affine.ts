/** a, b, c, d, e, f: the result at (x, y) shows the input at (a·x + b·y + c, d·x + e·y + f), where pixels have their centre at ½. */
export type Matrix = readonly [number, number, number, number, number, number];

/**
 * Nearest-neighbour affine transform as PIL's `Image.transform(size, AFFINE, matrix)`: positions in multiples of 1/65536, black
 * where nothing falls. A loop over bytes takes less time than an index map and a gather.
 *
 * @param from interleaved RGB bytes, [height, width, 3]
 * @returns the same, new
 */
export function affine(from: Uint8Array, width: number, height: number, [a, b, c, d, e, f]: Matrix): Uint8Array {
  const result = new Uint8Array(from.length);
  const [xAlong, xDown, yAlong, yDown] = [fixed(a), fixed(b), fixed(d), fixed(e)];
  let rowX = fixed(c + a * 0.5 + b * 0.5);
  let rowY = fixed(f + d * 0.5 + e * 0.5);
  let to = 0;
  for (let row = 0; row < height; row++, rowX += xDown, rowY += yDown) {
    let x = rowX;
    let y = rowY;
    for (let column = 0; column < width; column++, x += xAlong, y += yAlong, to += 3) {
      if (x < 0 || x >= width || y < 0 || y >= height) continue;
      const at = ((y | 0) * width + (x | 0)) * 3;
      result[to] = from[at];
      result[to + 1] = from[at + 1];
      result[to + 2] = from[at + 2];
    }
  }
  return result;
}

const fixed = (value: number): number => Math.floor(value * 65536 + 0.5) / 65536;

/** The matrix of PIL's `Image.rotate`: counter-clockwise about the middle, sine and cosine rounded to 15 decimals. */
export function rotation(degrees: number, width: number, height: number): Matrix {
  const angle = -(((degrees % 360) + 360) % 360) * (Math.PI / 180);
  const cos = Number(Math.cos(angle).toFixed(15));
  const sin = Number(Math.sin(angle).toFixed(15));
  const [x, y] = [width / 2, height / 2];
  return [cos, sin, cos * -x + sin * -y + x, -sin, cos, -sin * -x + cos * -y + y];
}
