import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import fc from 'fast-check';
import sharp from 'sharp';

import { decodeImage } from '../../src/images/image';
import { type Tensor, torch } from '../../src/torch';
import { temporaryFolder } from '../data/temporary';

const folder = temporaryFolder();

/** The colour of the pixel at (x, y). */
const pixel = (image: Tensor, x: number, y: number): unknown => image.select(2, x).select(1, y).toArray();

/** A picture of one colour. */
const plain = (background: string, width = 16, height = 8): sharp.Sharp =>
  sharp({ create: { width, height, channels: 3, background } });

const raw = (data: Uint8Array | Uint16Array, width: number, height: number, channels: 1 | 3 | 4): sharp.Sharp =>
  sharp(data, { raw: { width, height, channels } });

describe('decodeImage', () => {
  test('gives uint8 [3, height, width] of a file and of its bytes', async () => {
    const bytes = await plain('#ff8000').png().toBuffer();
    const path = join(folder, 'orange.png');
    writeFileSync(path, bytes);
    for (const source of [path, bytes]) {
      const image = await decodeImage(source);
      expect(image.shape).toEqual([3, 8, 16]);
      expect(image.dtype).toBe('uint8');
      expect(pixel(image, 15, 7)).toEqual([255, 128, 0]);
    }
  });

  test('gives back the pixels of any PNG', async () => {
    const pictures = fc
      .tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }))
      .chain(([width, height]) =>
        fc.record({
          width: fc.constant(width),
          height: fc.constant(height),
          data: fc.uint8Array({ minLength: width * height * 3, maxLength: width * height * 3 }),
        }),
      );
    await fc.assert(
      fc.asyncProperty(pictures, async ({ width, height, data }) => {
        const image = await decodeImage(await raw(data, width, height, 3).png().toBuffer());
        expect(image.permute([1, 2, 0]).contiguous().data()).toEqual(data);
      }),
      { numRuns: 30 },
    );
  });

  test('drops alpha and keeps the colour under it', async () => {
    const data = Uint8Array.of(10, 20, 30, 0, 200, 100, 50, 128);
    const image = await decodeImage(await raw(data, 2, 1, 4).png().toBuffer());
    expect(image.toArray()).toEqual([[[10, 200]], [[20, 100]], [[30, 50]]]);
  });

  test('repeats grey three times, and saturates 16-bit grey', async () => {
    const grey = await raw(Uint8Array.of(7, 250), 2, 1, 1).toColourspace('b-w').png().toBuffer();
    expect((await decodeImage(grey)).toArray()).toEqual([[[7, 250]], [[7, 250]], [[7, 250]]]);
    const wide = await raw(Uint16Array.of(200, 40000), 2, 1, 1).toColourspace('grey16').png().toBuffer();
    expect((await decodeImage(wide)).toArray()).toEqual([[[200, 255]], [[200, 255]], [[200, 255]]]);
  });

  test('does not rotate by EXIF', async () => {
    const bytes = await plain('red').withMetadata({ orientation: 6 }).jpeg().toBuffer();
    expect((await decodeImage(bytes)).shape).toEqual([3, 8, 16]);
  });

  test('reads CMYK without a profile', async () => {
    const bytes = await plain('#ff0000').toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer();
    const [red, green, blue] = pixel(await decodeImage(bytes), 4, 4) as number[];
    expect(red).toBeGreaterThan(180);
    expect(Math.max(green, blue)).toBeLessThan(90);
  });

  test('takes the first frame of an animation', async () => {
    const frames = [await plain('blue').png().toBuffer(), await plain('lime').png().toBuffer()];
    for (const format of ['gif', 'webp'] as const) {
      const bytes = await sharp(frames, { join: { animated: true } })
        .toFormat(format, { lossless: true })
        .toBuffer();
      const image = await decodeImage(bytes);
      expect(image.shape).toEqual([3, 8, 16]);
      expect(pixel(image, 3, 3)).toEqual([0, 0, 255]);
    }
  });

  test('reads a truncated JPEG as far as it goes', async () => {
    const noise = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 7919) % 256);
    const whole = await raw(noise, 64, 64, 3).jpeg({ quality: 95 }).toBuffer();
    const [complete, cut] = [await decodeImage(whole), await decodeImage(whole.subarray(0, whole.length / 2))];
    expect(cut.shape).toEqual([3, 64, 64]);
    const intact = 15; // rows of the first blocks, but for the one whose colour is interpolated with the next
    expect(torch.equal(cut.narrow(1, 0, intact), complete.narrow(1, 0, intact))).toBe(true);
    expect(torch.equal(cut, complete)).toBe(false);
  });

  test('reads a binary PPM, with a comment in its header', async () => {
    const pixels = Buffer.from([10, 20, 30, 40, 50, 60]);
    const header = Buffer.from('P6\n# by a camera, 3 4 5\n2 1 # wide\n255\n');
    const bytes = Buffer.concat([header, pixels]);
    expect((await decodeImage(bytes)).toArray()).toEqual([[[10, 40]], [[20, 50]], [[30, 60]]]);
  });

  test('leaves one tensor', async () => {
    const bytes = await plain('red').png().toBuffer();
    const before = torch.memory().tensors;
    (await decodeImage(bytes)).dispose();
    expect(torch.memory().tensors).toBe(before);
  });
});

describe('decodeImage refuses, naming the file,', () => {
  const refused = async (source: string | Buffer): Promise<string> => {
    const outcome: unknown = await decodeImage(source).catch((error: unknown) => error);
    expect(outcome).toMatchObject({ name: 'CleanclipError', code: 'ERR_DATA' });
    const { message } = outcome as Error;
    expect(message).not.toContain('\n');
    return message;
  };
  const file = (name: string, content: string | Buffer): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };

  test('a missing file and a folder', async () => {
    expect(await refused(join(folder, 'gone.jpg'))).toMatch(/gone\.jpg', but there is no such file/);
    expect(await refused(folder)).toMatch(/it is a folder/);
  });

  test('an empty file and an empty buffer', async () => {
    expect(await refused(file('empty.jpg', ''))).toMatch(/empty\.jpg, which is empty/);
    expect(await refused(Buffer.alloc(0))).toMatch(/buffer of 0 bytes, which is empty/);
  });

  test('text, and a picture without its body', async () => {
    expect(await refused(file('page.jpg', '<html>not found</html>'))).toMatch(
      /page\.jpg, but its first bytes are those of a page/,
    );
    const png = await plain('red').png().toBuffer();
    expect(await refused(file('header.png', png.subarray(0, 20)))).toMatch(/header\.png/);
  });

  test.each([
    ['P6\n60000 60000\n255\n', /has 60000 × 60000 pixels, more than the 89478485/],
    ['P6\n0 4\n255\n', /claims 0 × 4 pixels/],
    ['P6\n2 1\n65536\n', /maximum value is 65536/],
    ['P6\n2 1\nred\n', /has "red" where a number belongs/],
    ['P6\n9000 9000\n255\n', /ends before its first row/],
    ['P6\n2 1', /no width, height and maximum value/],
  ])('the PPM %j', async (content, message) => {
    expect(await refused(file('sign.ppm', content))).toMatch(message);
  });

  test('a header that claims 60,000 × 60,000 pixels', async () => {
    const png = await plain('red').png().toBuffer();
    png.writeUInt32BE(60000, 16);
    png.writeUInt32BE(60000, 20);
    expect(await refused(file('bomb.png', png))).toMatch(/bomb\.png, but the checksum of its chunk IHDR/i);
    const jpeg = await plain('red').jpeg().toBuffer();
    const size = jpeg.indexOf(Buffer.of(0xff, 0xc0)) + 5;
    jpeg.writeUInt16BE(60000, size);
    jpeg.writeUInt16BE(60000, size + 2);
    expect(await refused(file('bomb.jpg', jpeg))).toMatch(/bomb\.jpg, but it has 60000 × 60000 pixels/);
  });
});
