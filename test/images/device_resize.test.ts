import { resizeOnDevice } from '../../src/images/device_resize';
import { resizeImage } from '../../src/images/kernels';
import { resizeCrop, resizeCropBy } from '../../src/images/preprocess';
import type { Geometry } from '../../src/images/preprocess_config';
import { torch } from '../../src/torch';
import { apart, scene } from '../support/images';

const geometries: Geometry[] = (['bicubic', 'bilinear'] as const).flatMap((interpolation) => [
  { interpolation, resizeMode: 'shortest' },
  { interpolation, resizeMode: 'shortest', cropRounding: 'down' },
  { interpolation, resizeMode: 'longest', fillColor: 99 },
  { interpolation, resizeMode: 'squash' },
]);

beforeAll(() => torch.setNumThreads(1));

/** Smaller, larger, of the size itself, narrow, shrunk by 15; 61 × 400 goes down its columns last, 400 × 61 first. */
const sizes: [height: number, width: number][] = [
  [75, 100],
  [100, 75],
  [20, 31],
  [32, 32],
  [32, 47],
  [1, 3],
  [61, 400],
  [400, 61],
  [480, 480],
];

const images = sizes.map(([height, width]) => scene(height, width));

describe.each(geometries)('%j', (geometry) => {
  test.each(images)("%s gives the bytes of the CPU's, which are PIL's", (image) => {
    expect(apart(resizeCropBy(resizeOnDevice, image, 32, geometry), resizeCrop(image, 32, geometry))).toBe(0);
  });
});

test.each(['bicubic', 'bilinear'] as const)('%s of noise and of edges gives the same bytes', (interpolation) => {
  const edges = torch
    .arange(300 * 200)
    .remainder(7)
    .gt(3)
    .mul(255)
    .to('uint8')
    .view([1, 300, 200])
    .expand([3, 300, 200]);
  for (const image of [edges.contiguous(), torch.randint(0, 256, [3, 300, 200], { dtype: 'uint8' })])
    for (const size of [224, 64, 20])
      expect(
        apart(resizeCropBy(resizeOnDevice, image, size, { interpolation }), resizeCrop(image, size, { interpolation })),
      ).toBe(0);
});

test('an image that shrinks by 60 is apart by 1 at most', () => {
  const image = torch.randint(0, 256, [3, 960, 1200], { dtype: 'uint8' });
  expect(apart(resizeCropBy(resizeOnDevice, image, 16), resizeCrop(image, 16))).toBeLessThanOrEqual(1);
});

test('computes the pixels of a crop alone', () => {
  const image = scene(90, 120);
  const [size, crop] = [
    { width: 60, height: 45 },
    { left: 13, top: 7, width: 20, height: 11 },
  ];
  expect(apart(resizeOnDevice(image, size, crop), resizeImage(image, size, crop))).toBe(0);
});

test('keeps the filters of the last 32 sizes, and no other tensor', () => {
  const image = scene(8, 8);
  const resize = (size: number): void =>
    resizeOnDevice(image, { width: size, height: size }, { left: 0, top: 0, width: size, height: size }).dispose();
  for (let size = 20; size < 60; size++) resize(size);
  const before = torch.memory().tensors;
  for (let size = 60; size < 120; size++) resize(size);
  expect(torch.memory().tensors).toBeLessThanOrEqual(before);
});
