import sharp from 'sharp';

import { loadClip } from '../../src/clip/model';
import { clipMean, clipStd, normalize, preprocess, resizeCrop, squash } from '../../src/images/preprocess';
import { type Tensor, torch } from '../../src/torch';
import { miniModel } from '../support/pairs';

const noise = (height: number, width: number): Tensor =>
  torch.tensor(
    Uint8Array.from({ length: 3 * height * width }, (_, i) => (i * 7919 + (i >> 3) * 31) % 256),
    { shape: [3, height, width] },
  );

test('squash keeps all of the image, whatever its shape', () => {
  const columns = torch.tensor([0, 0, 0, 0, 200, 200, 200, 200]).to('uint8').expand([3, 4, 8]).contiguous();
  expect(squash(columns, 4).select(0, 0).select(0, 0).toArray()).toEqual(
    [0, 0, 200, 200].map((v) => expect.closeTo(v, -2)),
  );
  expect(squash(noise(50, 80), 24).shape).toEqual([3, 24, 24]);
  expect(torch.equal(squash(noise(32, 32), 32), noise(32, 32))).toBe(true);
});

describe('resizeCrop', () => {
  test.each([
    [50, 80],
    [80, 50],
    [33, 33],
    [7, 100],
    [1, 1],
  ])('makes a square of %i × %i', (height, width) => {
    const result = resizeCrop(noise(height, width), 32);
    expect(result.shape).toEqual([3, 32, 32]);
    expect(result.dtype).toBe('uint8');
  });

  test('keeps an image that has the size', () => {
    const image = noise(32, 32);
    expect(torch.equal(resizeCrop(image, 32), image)).toBe(true);
  });

  test('keeps a plain colour', () => {
    const image = torch.full([3, 41, 77], 93, { dtype: 'uint8' });
    expect(torch.equal(resizeCrop(image, 16), torch.full([3, 16, 16], 93, { dtype: 'uint8' }))).toBe(true);
  });

  test('cuts out the middle; a half pixel goes to the even side', () => {
    const columns = torch.arange(13).to('uint8').expand([3, 8, 13]).contiguous();
    expect(resizeCrop(columns, 8).select(0, 0).select(0, 0).toArray()).toEqual([2, 3, 4, 5, 6, 7, 8, 9]); // 2.5 → 2
    const rows = torch.arange(15).to('uint8').view([15, 1]).expand([3, 15, 8]).contiguous();
    expect(resizeCrop(rows, 8).select(0, 0).select(1, 0).toArray()).toEqual([4, 5, 6, 7, 8, 9, 10, 11]); // 3.5 → 4
  });

  test('gives the same for either memory layout', () => {
    const image = noise(75, 100);
    const interleaved = image.permute([1, 2, 0]).contiguous().permute([2, 0, 1]);
    expect(torch.equal(resizeCrop(image, 48), resizeCrop(interleaved, 48))).toBe(true);
  });

  test('smooths when it shrinks', () => {
    const stripes = torch.arange(256).remainder(2).mul(255).to('uint8').expand([3, 256, 256]).contiguous();
    const result = resizeCrop(stripes, 32).data() as Uint8Array;
    expect(Math.max(...result) - Math.min(...result)).toBeLessThan(20);
  });

  test('refuses what it cannot do', () => {
    expect(() => resizeCrop(noise(4, 4), 0)).toThrow('size must be an integer of at least 1 (pixels), but is 0.');
    expect(() => resizeCrop(noise(4, 4).to('float32'), 8)).toThrow(
      'image must be a uint8 tensor of shape [3, height, width]; got float32 [3, 4, 4].',
    );
    expect(() => resizeCrop(torch.zeros([4, 4], { dtype: 'uint8' }), 8)).toThrow('got uint8 [4, 4].');
    expect(() => resizeCrop(noise(1, 100_000), 224)).toThrow(
      /100000 × 1 pixels: with a short side of 224 it would have \d+ pixels\.$/,
    );
  });
});

describe('resizeCrop with the geometry of a model', () => {
  const wide = torch.tensor([10, 10, 10, 10, 200, 200, 200, 200]).to('uint8').expand([3, 4, 8]).contiguous();
  const firstRows = (image: Tensor): unknown => (image.select(0, 0).toArray() as number[][]).slice(0, 2);

  test('longest keeps all of it in the middle of a border', () => {
    expect(firstRows(resizeCrop(wide, 8, { resizeMode: 'longest', fillColor: 77 }))).toEqual([
      Array(8).fill(77),
      Array(8).fill(77),
    ]);
    expect(torch.equal(resizeCrop(wide, 8, { resizeMode: 'longest' }).narrow(1, 2, 4), wide)).toBe(true);
    const tall = resizeCrop(noise(80, 50), 24, { resizeMode: 'longest', fillColor: 255 }); // 15 wide: 4 before, 5 after
    expect([3, 4, 18, 19].map((column) => tall.select(2, column).eq(255).all().item())).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });

  test('squash takes either filter', () => {
    const squashed = { resizeMode: 'squash' } as const;
    expect(torch.equal(resizeCrop(noise(50, 80), 24, squashed), squash(noise(50, 80), 24))).toBe(true);
    expect(
      torch.equal(resizeCrop(noise(50, 80), 24, { ...squashed, interpolation: 'bilinear' }), squash(noise(50, 80), 24)),
    ).toBe(false);
  });

  test('cropRounding down takes the pixel before', () => {
    const rows = torch.arange(15).to('uint8').view([15, 1]).expand([3, 15, 8]).contiguous();
    expect(resizeCrop(rows, 8, { cropRounding: 'down' }).select(0, 0).select(1, 0).toArray()).toEqual([
      3, 4, 5, 6, 7, 8, 9, 10,
    ]); // 3.5 → 3
  });

  test.each([
    [{ resizeMode: 'stretch' }, 'resizeMode must be one of shortest, longest, squash; got "stretch".'],
    [{ interpolation: 'nearest' }, 'interpolation must be one of bicubic, bilinear; got "nearest".'],
    [{ fillColor: 256 }, 'fillColor must be an integer from 0 to 255; got 256.'],
    [{ fillColor: 1n }, 'fillColor must be an integer from 0 to 255; got 1n.'],
    [{ cropRounding: 'up' }, 'cropRounding must be one of even, down; got "up".'],
  ])('refuses %p', (geometry, message) => {
    expect(() => resizeCrop(wide, 8, geometry as never)).toThrow(message);
  });

  test('refuses what is so narrow that nothing is left', () => {
    expect(() => resizeCrop(noise(1, 400), 32, { resizeMode: 'longest' })).toThrow(
      'got 400 × 1 pixels: with a long side of 32 its short side would be 0.',
    );
  });
});

describe('normalize', () => {
  test("takes a model's own mean and standard deviation", () => {
    const image = torch.full([3, 2, 2], 255, { dtype: 'uint8' });
    const result = normalize(image, { imageMean: [0.5, 0, 1], imageStd: [0.5, 2, 3] });
    expect(result.select(2, 0).select(1, 0).toArray()).toEqual([1, 0.5, 0]);
    expect(() => normalize(image, { imageMean: [1, 2] })).toThrow('imageMean must be three finite numbers; got [1,2].');
    expect(() => normalize(image, { imageStd: [1, 0, 1] })).toThrow(
      'imageStd must be three finite numbers above 0; got [1,0,1].',
    );
  });

  test('takes each channel by its mean and standard deviation', () => {
    const images = torch.tensor(Uint8Array.of(0, 128, 255), { shape: [1, 3, 1, 1] }).expand([2, 3, 4, 4]);
    const result = normalize(images);
    expect(result.shape).toEqual([2, 3, 4, 4]);
    expect(result.dtype).toBe('float32');
    [0, 128 / 255, 1].forEach((value, c) => {
      expect(result.select(1, c).select(0, 1).mean().item()).toBeCloseTo((value - clipMean[c]) / clipStd[c], 5);
    });
  });
});

describe('preprocess', () => {
  test('takes bytes or a tensor', async () => {
    const image = noise(60, 90);
    const data = image.permute([1, 2, 0]).contiguous().data() as Uint8Array;
    const bytes = await sharp(data, { raw: { width: 90, height: 60, channels: 3 } })
      .png()
      .toBuffer();
    const [fromBytes, fromTensor] = [await preprocess(bytes, { size: 32 }), await preprocess(image, { size: 32 })];
    expect(fromBytes.shape).toEqual([3, 32, 32]);
    expect(torch.equal(fromBytes, fromTensor)).toBe(true);
    expect(torch.equal(fromTensor, normalize(resizeCrop(image, 32)))).toBe(true);
    expect((await preprocess(bytes)).shape).toEqual([3, 224, 224]);
  });

  test("does as a model's configuration says", async () => {
    const config = {
      imageSize: 32,
      imageMean: [0.1, 0.2, 0.3],
      imageStd: [0.4, 0.5, 0.6],
      interpolation: 'bilinear',
      resizeMode: 'longest',
      fillColor: 9,
    } as const;
    using clip = loadClip({ ...miniModel, ...config });
    const expected = normalize(resizeCrop(noise(60, 90), 32, config), config);
    expect(torch.equal(await clip.preprocess(noise(60, 90)), expected)).toBe(true);
    expect(torch.equal(await preprocess(noise(60, 90), config), expected)).toBe(true);
    expect(torch.equal(await preprocess(noise(60, 90), { size: 32 }), expected)).toBe(false);
  });

  test('leaves one tensor', async () => {
    const image = noise(60, 90);
    const before = torch.memory().tensors;
    (await preprocess(image, { size: 16 })).dispose();
    expect(torch.memory().tensors).toBe(before);
  });

  test('refuses a wrong size before it opens the file', async () => {
    await expect(preprocess('nowhere.jpg', { size: 1.5 })).rejects.toThrow('size must be an integer');
  });
});
