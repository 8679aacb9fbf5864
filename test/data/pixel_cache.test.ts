import { PixelCache, type SharedPixels } from '../../src/data/pixel_cache';
import { type Tensor, torch } from '../../src/torch';

const image = (height: number, width: number): Tensor =>
  torch.tidy(() =>
    torch
      .arange(3 * height * width)
      .to('uint8')
      .view([height, width, 3])
      .permute([2, 0, 1]),
  );

test('an image comes back with its values and memory layout, in every view of the memory', () => {
  const shared = PixelCache.allocate(3, 8, 1e6) as SharedPixels;
  new PixelCache(shared).find(1).keep!(image(5, 7));
  const { image: found, keep } = new PixelCache(shared).find(1) as { image: Tensor; keep?: unknown };
  expect(keep).toBeUndefined(); // it is there
  expect(found.shape).toEqual([3, 5, 7]);
  expect(found.strides).toEqual(image(5, 7).strides);
  expect(found.toArray()).toEqual(image(5, 7).toArray());
  expect(new PixelCache(shared).find(0).image).toBeUndefined();
  expect(new PixelCache(shared).find(2).image).toBeUndefined();
});

test('what does not fit a slot is not stored', () => {
  const cache = new PixelCache(PixelCache.allocate(1, 8, 1e6) as SharedPixels);
  cache.find(0).keep!(image(9, 8));
  expect(cache.find(0).image).toBeUndefined();
  cache.find(0).keep!(image(8, 8));
  expect(cache.find(0).image?.shape).toEqual([3, 8, 8]);
});

test('there is no cache when not all rows fit', () => {
  expect(PixelCache.allocate(10, 8, 1919)).toBeNull();
  expect(PixelCache.allocate(10, 8, 1920)).not.toBeNull();
});
