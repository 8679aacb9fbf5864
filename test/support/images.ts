import { Random } from '../../src/random';
import { type Tensor, torch } from '../../src/torch';

/** A picture of gradients, an edge and some noise; its levels are not equally frequent. uint8 [3, height, width] */
export function scene(height: number, width: number, seed = 0): Tensor {
  const random = new Random(seed);
  const pixels = new Uint8ClampedArray(3 * height * width);
  for (let i = 0; i < pixels.length; i++) {
    const [channel, y, x] = [Math.floor(i / height / width), Math.floor(i / width) % height, i % width];
    const edge = x > width / 2 ? 25 : 0;
    pixels[i] = 30 + 20 * channel + (110 * y) / height + 40 * Math.sin(x / 5) + edge + 10 * random.next();
  }
  return torch.tensor(pixels, { dtype: 'uint8', shape: [3, height, width] });
}

/** The largest difference of two images, in levels. */
export const apart = (a: Tensor, b: Tensor): number => {
  expect(a.shape).toEqual(b.shape);
  expect([a.dtype, b.dtype]).toEqual(['uint8', 'uint8']);
  return torch.tidy(() => a.to('int32').sub(b.to('int32')).abs().max().item());
};
