import { join } from 'node:path';

import sharp from 'sharp';

import { measure } from '../../src/evaluation/labelled';
import { decodeImage } from '../../src/images/image';
import { resizeCrop, squash } from '../../src/images/preprocess';
import { type Tensor, torch } from '../../src/torch';
import { temporaryFolder } from '../data/temporary';

test.each([
  [false, resizeCrop],
  [true, squash],
])('cuts triggered images as clean ones, or squashes them (squash: %p)', async (squashes, fit) => {
  const stripes = Uint8Array.from({ length: 3 * 20 * 40 }, (_, i) => (Math.floor(i / 3) % 40) * 6);
  const folder = temporaryFolder({
    'wide.png': await sharp(stripes, { raw: { width: 40, height: 20, channels: 3 } })
      .png()
      .toBuffer(),
  });
  const path = join(folder, 'wide.png');
  const set = { images: [path, path], labels: Int32Array.from([0, 1]), classes: ['a', 'b'], templates: [] };
  const seen: unknown[] = [];
  const score = (pixels: Tensor): Tensor => {
    seen.push(pixels.toArray());
    return torch
      .tensor([
        [1, 0],
        [1, 0],
      ])
      .narrow(0, 0, pixels.shape[0]);
  };
  const trigger = { pattern: null, apply: (image: Tensor) => image.clone(), dispose: () => {} };
  const counts = await measure(score, set, {
    size: 16,
    numWorkers: 0,
    attack: { trigger, target: 0, asr: true, squash: squashes, seed: 0 },
  });
  const image = await decodeImage(path);
  const cropped = resizeCrop(image, 16).toArray();
  // the image of the target class is not attacked
  expect(seen).toEqual([[cropped, cropped], [fit(image, 16).toArray()]]);
  expect([counts.clean.share(1), counts.triggered.share(1), counts.success.share(1)]).toEqual([0.5, 0, 1]);
});
