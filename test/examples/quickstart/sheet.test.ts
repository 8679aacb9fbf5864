import { join } from 'node:path';

import sharp from 'sharp';

import { readConcepts } from '../../../examples/quickstart/concepts';
import { render } from '../../../examples/quickstart/render';
import { writeSheet } from '../../../examples/quickstart/sheet';
import { Random } from '../../../src/random';
import { temporaryFolder } from '../../data/temporary';

test('a picture is a 64-pixel square without transparency', async () => {
  const [{ drawings }] = readConcepts();
  const { width, height, channels } = await sharp(await render(drawings[0], new Random(1))).metadata();
  expect({ width, height, channels }).toEqual({ width: 64, height: 64, channels: 3 });
});

test('the sheet shows each picture', async () => {
  const [truth, before, after] = readConcepts();
  const png = await sharp({ create: { width: 64, height: 64, channels: 3, background: '#ff00ff' } })
    .png()
    .toBuffer();
  const file = join(temporaryFolder(), 'sheet.png');
  await writeSheet(
    Array.from({ length: 10 }, () => ({ png, truth, before, after })),
    file,
  );
  const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
  const magenta = Array.from({ length: info.width * info.height }, (_, i) => data.subarray(3 * i, 3 * i + 3)).filter(
    ([r, g, b]) => r === 255 && g === 0 && b === 255,
  );
  expect(magenta.length).toBe(10 * 126 * 126);
});
