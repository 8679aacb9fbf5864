import { optionError } from '../errors';
import { type Tensor, torch } from '../torch';
import type { PatchType } from './names';

/**
 * The shape of a pattern for an area [height, width]: colours [3, height, width], or for `warped` a displacement grid
 * [1, height, width, 2].
 */
const patternShape = (type: PatchType, [height, width]: readonly number[]): number[] =>
  type === 'warped' ? [1, height, width, 2] : [3, height, width];

/**
 * Draws the pattern of a trigger.
 *
 * @param area [height, width] in pixels
 * @param seed of the torch.Generator that draws the noise; Python draws the same
 * @returns float32: colours [3, height, width], or for `warped` a displacement grid [1, height, width, 2]
 */
export function drawPattern(type: PatchType, area: readonly number[], seed: number): Tensor {
  const [height, width] = area;
  return torch.tidy(() => {
    const shape = patternShape(type, area);
    const generator = new torch.Generator(seed);
    switch (type) {
      case 'random':
        return torch.randn(shape, { generator });
      case 'blended':
        return torch.rand(shape, { generator });
      case 'yellow':
        return torch.tensor([1, 1, 0]).view([3, 1, 1]).expand(shape).contiguous();
      case 'SIG': {
        const columns = torch.arange(width, { dtype: 'float64' });
        return columns
          .mul((2 * Math.PI * 6) / width)
          .sin()
          .mul(60 / 255)
          .to('float32')
          .expand(shape)
          .contiguous();
      }
      case 'warped': {
        const noise = torch.rand([1, 2, height, width], { generator }).mul(2).sub(1);
        return noise.div(noise.abs().mean()).permute([0, 2, 3, 1]).contiguous();
      }
    }
  });
}

/** Throws ERR_OPTION unless `noise` can replace the drawn pattern. */
export function checkPattern(noise: Tensor, type: PatchType, area: readonly number[]): void {
  if (type === 'yellow' || type === 'SIG') {
    throw optionError(`noise must be left out for patchType ${type}, whose pattern is not random; got a tensor.`);
  }
  const expected = patternShape(type, area).join(', ');
  if (noise.shape.join(', ') !== expected || !noise.dtype.startsWith('float')) {
    throw optionError(
      `noise must be a floating-point tensor of shape [${expected}] for patchType ${type}; got ${noise.dtype} ` +
        `[${noise.shape.join(', ')}].`,
    );
  }
}

/**
 * Warps an image as WaNet does (Nguyen & Tran 2021): each pixel is sampled bilinearly at its own coordinates plus
 * `displacement` / side of the image. Coordinates run from −1 to 1, so a displacement of 1 moves by half a pixel.
 *
 * @param image float [3, H, W]
 * @param displacement same dtype, [1, H, W, 2]: along the width, then along the height
 * @returns float [3, H, W]
 */
export function warp(image: Tensor, displacement: Tensor): Tensor {
  const [, height, width] = image.shape;
  const { dtype } = image;
  const columns = torch.linspace(-1, 1, width, { dtype }).expand([height, width]);
  const rows = torch.linspace(-1, 1, height, { dtype }).unsqueeze(1).expand([height, width]);
  const own = torch.stack([columns, rows], 2).unsqueeze(0); // [1, H, W, 2]
  const grid = own.add(displacement.div(torch.tensor([width, height], { dtype }))).clamp(-1, 1);
  return torch.ops.aten.grid_sampler(image.unsqueeze(0), grid, 0, 0, true).squeeze(0);
}
