import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';

import sharp from 'sharp';

import { decodeImage, type ImageLimits } from '../../src/images/image';
import { preprocess } from '../../src/images/preprocess';
import { temporaryFolder } from '../data/temporary';

const chunk = (name: string, data: Buffer): Buffer => {
  const out = Buffer.alloc(12 + data.length);
  out.writeUInt32BE(data.length);
  out.write(name, 4, 'latin1');
  data.copy(out, 8);
  out.writeUInt32BE(crc32(out.subarray(4, 8 + data.length)), 8 + data.length);
  return out;
};

/** A grey PNG of one value. */
function png(width: number, height: number, depth = 16): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  header[8] = depth;
  const rows = deflateSync(Buffer.alloc(height * (1 + (width * depth) / 8)), { level: 1 });
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', rows),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** A grey TIFF of one column, each row of which is a strip: all of them the same byte. */
function tiffOfStrips(count: number): Buffer {
  const numbers = (value: number): Buffer => Buffer.from(Uint32Array.from({ length: count }, () => value).buffer);
  const entries = [
    [256, 1, 1],
    [257, 1, count],
    [258, 1, 8],
    [259, 1, 1],
    [262, 1, 1],
    [273, count, 8],
    [278, 1, 1],
    [279, count, 8 + 4 * count],
  ];
  const directory = Buffer.alloc(2 + 12 * entries.length + 4);
  directory.writeUInt16LE(entries.length);
  for (const [i, [tag, values, value]] of entries.entries()) {
    directory.writeUInt16LE(tag, 2 + 12 * i);
    directory.writeUInt16LE(4, 4 + 12 * i);
    directory.writeUInt32LE(values, 6 + 12 * i);
    directory.writeUInt32LE(value, 10 + 12 * i);
  }
  const head = Buffer.from('II*\0\0\0\0\0', 'latin1');
  head.writeUInt32LE(8 + 8 * count, 4);
  return Buffer.concat([head, numbers(8), numbers(1), directory]);
}

const refusal = async (source: string | Buffer, limits?: ImageLimits): Promise<string> => {
  const error = await decodeImage(source, limits).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ name: 'CleanclipError', code: 'ERR_DATA' });
  return (error as Error).message;
};

describe('an image beyond a limit is refused', () => {
  test('of pixels, bytes and shape, before it is decoded', async () => {
    const bytes = png(400, 300);
    expect(await refusal(bytes, { maxPixels: 100_000 })).toMatch(
      /has 400 × 300 pixels, more than the 100000 that maxPixels allows/,
    );
    const path = join(temporaryFolder({ 'a.png': bytes }), 'a.png');
    expect(await refusal(path, { maxBytes: 50 })).toMatch(/larger than 50 bytes/);
    await expect(preprocess(png(1, 60_000, 8), { size: 224 })).rejects.toMatchObject({
      code: 'ERR_DATA',
      message: expect.stringMatching(/too narrow: 1 × 60000/),
    });
    expect((await decodeImage(png(1, 60_000, 8))).shape).toEqual([3, 60_000, 1]);
  });

  test.each(['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const)('%s', async (format) => {
    const picture = sharp({ create: { width: 60, height: 50, channels: 3, background: 'red' } });
    const bytes = await picture.toFormat(format).toBuffer();
    expect((await decodeImage(bytes, { maxPixels: 3000 })).shape).toEqual([3, 50, 60]);
    expect(await refusal(bytes, { maxPixels: 2999 })).toMatch(/pixel/);
  });

  test('a file whose header claims far more than it holds', async () => {
    expect(await refusal(Buffer.from('P6\n9000 9000\n255\nabc'))).toMatch(/ends before its first row/);
    expect(await refusal(Buffer.concat([Buffer.from('P6\n10 9000\n255\n'), Buffer.alloc(60)]))).toMatch(
      /ends before 89980 of its 90000 pixels/,
    );
    const webp = await sharp({ create: { width: 60, height: 50, channels: 3, background: 'red' } })
      .webp()
      .toBuffer();
    expect(await refusal(webp.subarray(0, -10))).toMatch(/ends before its content/);
  });

  test('parts so many that reading them would hold up the event loop', async () => {
    const [header, rest] = [png(8, 8, 8).subarray(0, 33), png(8, 8, 8).subarray(33)];
    const texts = (count: number): Buffer =>
      Buffer.concat([header, Buffer.concat(new Array<Buffer>(count).fill(chunk('tEXt', Buffer.alloc(0)))), rest]);
    expect((await decodeImage(texts(1000))).shape).toEqual([3, 8, 8]);
    expect(await refusal(texts(2 ** 17))).toMatch(/more than 131072 chunks/);
    expect(
      await refusal(Buffer.concat([Buffer.from('P5\n#'), Buffer.alloc(2 ** 21, 'a'), Buffer.from('\n1 1\n255\n1')])),
    ).toMatch(/no width, height/);
    expect(
      await refusal(Buffer.concat([Buffer.from('GIF89a\x01\0\x01\0\0\0\0', 'latin1'), Buffer.alloc(2 ** 21, 'a')])),
    ).toMatch(/no frame within its first 1048576 blocks/);
    expect(await refusal(tiffOfStrips(2 ** 17 + 1))).toMatch(/131073 strips or tiles, more than 131072/);
    const palettes = Buffer.alloc(12 * 9);
    // 65,536 bytes each, all the same ones
    for (let i = 0; i < 9; i++) palettes.set([64, 1, 1, 0, 0, 0, 1, 0, 8, 0, 0, 0], 12 * i);
    const directory = Buffer.concat([
      Buffer.from('II*\0\x08\0\x01\0', 'latin1'),
      Buffer.alloc(65536),
      Buffer.from([9, 0]),
      palettes,
    ]);
    expect(await refusal(directory)).toMatch(/tag 320 claims 65536 values/);
  });

  test('a damaged PNG whose decoding takes too long', async () => {
    const bytes = png(8, 400_000, 8);
    bytes.fill(0xff, bytes.length - 40, bytes.length - 24);
    expect((await decodeImage(bytes)).shape).toEqual([3, 400_000, 8]);
    expect(await refusal(bytes, { maxSeconds: 1e-6 })).toMatch(/decoding it takes longer than 0.000001 s/);
  });

  test.each([
    { maxPixels: 0 },
    { maxBytes: -1 },
    { maxSeconds: Number.NaN },
    { maxPixels: 2e8 },
    { maxPixels: '5' as never },
  ])('limits that make no sense: %j', async (limits) => {
    await expect(decodeImage(png(4, 4), limits)).rejects.toMatchObject({ code: 'ERR_OPTION' });
  });
});

describe('what is no regular file is refused at once', () => {
  const folder = temporaryFolder();

  test('a FIFO, a device, a folder', async () => {
    const fifo = join(folder, 'fifo.jpg');
    execFileSync('mkfifo', [fifo]);
    expect(await refusal(fifo)).toMatch(/fifo\.jpg', but it is a FIFO/);
    expect(await refusal('/dev/zero')).toMatch(/is a device/);
    mkdirSync(join(folder, 'sub.png'));
    expect(await refusal(join(folder, 'sub.png'))).toMatch(/is a folder/);
    expect(await refusal('a\0b.png')).toMatch(/null character/);
  });

  test('a socket', async () => {
    const path = join(folder, 'socket.jpg');
    const server = createServer().listen(path);
    await new Promise((resolve) => server.once('listening', resolve));
    expect(await refusal(path)).toMatch(/socket/);
    server.close();
  });
});

describe('what is no image of the formats is refused by its content, whatever its name', () => {
  test.each([
    ['<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>', /an SVG/],
    ['<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', /an SVG/],
    ['%PDF-1.7\n', /a PDF/],
    ['\0\0\0\x18ftypheic\0\0\0\0', /an HEIC/],
    ['GIF8', /none of these/],
    ['RIFF\x10\0\0\0WEBPVP8 ', /ends before its content/],
    ['II*\0\x08\0\0\0', /ends before its directory/],
    ['\xff\xd8\xff', /no frame header/],
    ['BM', /header/],
  ])('%j', async (content, message) => {
    expect(await refusal(Buffer.from(content, 'latin1'))).toMatch(message);
  });
});

test('a large image is decoded off the event loop', async () => {
  const bytes = png(6000, 5000);
  await decodeImage(png(4, 4)); // loads libtorch
  let beats = 0;
  const beat = setInterval(() => beats++, 5);
  const image = await decodeImage(bytes);
  clearInterval(beat);
  expect(image.shape).toEqual([3, 5000, 6000]);
  expect(beats).toBeGreaterThan(5); // a loop that is held up has one or two
});

test('a decoding that takes too long is ended', async () => {
  const { data } = await sharp({ create: { width: 5000, height: 4000, channels: 3, background: 'red' } })
    .jpeg({ progressive: true })
    .toBuffer({ resolveWithObject: true });
  expect(await refusal(data, { maxSeconds: 0.001 })).toMatch(/takes too long/);
});

test('a TIFF of CIELAB, which held libvips for ever, is refused, and the process ends', () => {
  const script = `
    const { decodeImage } = require(${JSON.stringify(join(__dirname, '../../dist/images/image.js'))});
    const entries = [[256, 12], [257, 10], [258, 8], [259, 1], [262, 8], [273, 110], [277, 3], [278, 10]];
    const file = Buffer.alloc(110 + 360);
    file.write('II*\\0\\x08\\0\\0\\0\\x08\\0', 'latin1');
    entries.forEach(([tag, value], i) => {
      const at = 10 + 12 * i;
      file.writeUInt16LE(tag, at);
      file.writeUInt16LE(4, at + 2);
      file.writeUInt32LE(1, at + 4);
      file.writeUInt32LE(value, at + 8);
    });
    decodeImage(file).catch((error) => console.log(error.message));`;
  const { stdout } = spawnSync(process.execPath, ['-e', script], {
    encoding: 'utf8',
    timeout: 20_000,
    killSignal: 'SIGKILL',
  });
  expect(stdout).toMatch(/its colours are CIELAB/);
});
