// Mutated image files, decoded in child processes: node test/fuzz/images.js [--seed N] [--count M] [--first K]
// Counts what is read and refused; a crash, a hang, an error without our code, a decoding of over 2 s or a stall of the
// event loop, seen twice, ends it with code 1.
const { fork } = require('node:child_process');
const { mkdirSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { performance } = require('node:perf_hooks');
const sharp = require('sharp');
const { draws } = require('./draws');
const { mutate } = require('./mutations.js');

const LIMITS = { maxPixels: 4_000_000, maxSeconds: 5 };
const CHUNK = 500; // cases a child
const SLOW = 2000; // milliseconds
const STALL = 500;

const width = 61;
const height = 43;
const noise = (channels) =>
  Buffer.from(Array.from({ length: width * height * channels }, (_, i) => ((i * 7919) ^ (i >> 3)) & 255));
const image = (channels = 3) => sharp(noise(channels), { raw: { width, height, channels } });

const word = (value, bytes = 4) => Buffer.from(Array.from({ length: bytes }, (_, i) => (value >> (8 * i)) & 255));

function bmp(bits) {
  const stride = 4 * Math.ceil((width * bits) / 32);
  const palette = bits > 8 ? Buffer.alloc(0) : noise(3).subarray(0, 4 << bits);
  const head = Buffer.concat([Buffer.from('BM'), word(54 + stride * height), word(0), word(54 + palette.length)]);
  const info = Buffer.concat([
    word(40),
    word(width),
    word(height),
    word(1, 2),
    word(bits, 2),
    ...Array.from({ length: 6 }, () => word(0)),
  ]);
  return Buffer.concat([head, info, palette, Buffer.alloc(stride * height, noise(3))]);
}

const plain = (magic, greatest, channels) =>
  Buffer.concat([Buffer.from(`${magic}\n${width} ${height}\n${greatest}\n`), noise(channels)]);

/** The files that are mutated, by their names. */
async function sources() {
  const jpeg = (options, given = image()) => given.jpeg(options).toBuffer();
  const png = (options, given = image()) => given.png(options).toBuffer();
  const tiff = (compression, options = {}, given = image()) => given.tiff({ compression, ...options }).toBuffer();
  const made = {
    jpeg_420: jpeg({}),
    jpeg_444: jpeg({ chromaSubsampling: '4:4:4' }),
    jpeg_progressive: jpeg({ progressive: true }),
    jpeg_grey: jpeg({}, image(1)),
    jpeg_cmyk: jpeg({}, image().toColourspace('cmyk')),
    jpeg_optimised: jpeg({ trellisQuantisation: true, overshootDeringing: true }),
    jpeg_exif: jpeg({}, image().withMetadata({ orientation: 6 })),
    png_rgb: png({}),
    png_rgba: png({}, image(4)),
    png_grey: png({}, image(1)),
    png_interlaced: png({ progressive: true }),
    png_palette: png({ palette: true, colours: 16 }),
    png_bits: png({ palette: true, colours: 2 }),
    png_grey16: png({}, image(1).toColourspace('grey16')),
    png_rgb16: png({}, image().toColourspace('rgb16')),
    png_stored: png({ compressionLevel: 0 }),
    png_interlaced_rgba: png({ progressive: true }, image(4)),
    gif: image().gif().toBuffer(),
    gif_clear: image(4).gif().toBuffer(),
    webp: image().webp().toBuffer(),
    webp_lossless: image(4).webp({ lossless: true }).toBuffer(),
    tiff_none: tiff('none'),
    tiff_lzw: tiff('lzw'),
    tiff_lzw_predictor: tiff('lzw', { predictor: 'horizontal' }),
    tiff_deflate: tiff('deflate', { predictor: 'none' }),
    tiff_packbits: tiff('packbits'),
    tiff_jpeg: tiff('jpeg'),
    tiff_tiles: tiff('lzw', { tile: true, tileWidth: 16, tileHeight: 16 }),
    tiff_fax: tiff('ccittfax4', { bitdepth: 1 }, image(1).toColourspace('b-w')),
    tiff_grey16: tiff('none', {}, image(1).toColourspace('grey16')),
    tiff_big: tiff('none', { bigtiff: true }),
    avif: image().avif({ effort: 0 }).toBuffer(),
    ppm: plain('P6', 255, 3),
    pgm16: plain('P5', 1000, 2),
    pgm_plain: Buffer.from(`P2\n# c\n${width} ${height}\n255\n${[...noise(1)].join(' ')}`),
    pbm: plain('P1', '', 1).fill('1', 20),
    bmp24: bmp(24),
    bmp8: bmp(8),
    bmp1: bmp(1),
    svg: Buffer.from(
      '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="24"><rect width="40" height="24" fill="#f00"/></svg>',
    ),
  };
  return Promise.all(Object.entries(made).map(async ([name, bytes]) => [name, Buffer.from(await bytes)]));
}

/** In a child: decodes the cases from `first` on, and tells of each before and after it. */
async function decodeCases(seed, first, count) {
  const { decodeImage } = require('../../dist/images/image.js');
  const files = await sources();
  const others = files.map(([, bytes]) => bytes);
  (await decodeImage(others[0])).dispose(); // loads libtorch
  let last = performance.now();
  let stall = 0;
  const beat = setInterval(() => {
    stall = Math.max(stall, performance.now() - last - 10);
    last = performance.now();
  }, 10);
  const counts = {};
  const add = (what) => (counts[what] = (counts[what] ?? 0) + 1);
  for (let number = first; number < first + count; number++) {
    const [name, source] = files[number % files.length];
    const { bytes } = mutate(source, draws(seed, number), { others });
    process.send({ number, name });
    const start = performance.now();
    stall = 0;
    try {
      (await decodeImage(bytes, LIMITS)).dispose();
      add('ok');
    } catch (error) {
      const isOurs =
        error?.name === 'CleanclipError' &&
        ['ERR_DATA', 'ERR_TORCH_OOM'].includes(error.code) &&
        !/failed:|contradicts itself/.test(error.message);
      if (isOurs) add('refused');
      else process.send({ odd: `${name} ${number}: ${error?.stack}` });
    }
    const time = performance.now() - start;
    if (time > SLOW) process.send({ slow: `${name} ${number}: ${Math.round(time)} ms` });
    if (stall > STALL) process.send({ stall: `${name} ${number}: ${Math.round(stall)} ms` });
  }
  clearInterval(beat);
  process.send({ counts, rss: Math.round(process.memoryUsage().rss / 1e6) }, () => process.exit(0));
}

function runChild(seed, first, count, total) {
  return new Promise((resolve) => {
    const child = fork(__filename, ['child', seed, first, count].map(String), {
      execArgv: ['--max-old-space-size=1024'],
    });
    let at = { number: first };
    let isDone = false;
    let timer;
    const watch = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        total.faults.push(`hang ${at.name} ${at.number}`);
        isDone = true;
        child.kill('SIGKILL');
      }, 30_000);
    };
    watch();
    child.on('message', (message) => {
      watch();
      if (message.number !== undefined) at = message;
      for (const kind of ['odd', 'slow', 'stall'])
        if (message[kind] !== undefined) total.faults.push(`${kind} ${message[kind]}`);
      if (message.counts === undefined) return;
      isDone = true;
      for (const [what, n] of Object.entries(message.counts)) total.counts[what] = (total.counts[what] ?? 0) + n;
      total.rss = Math.max(total.rss, message.rss);
    });
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      if (!isDone) total.faults.push(`crash ${at.name} ${at.number}: ${signal ?? code}`);
      // the case after the one that ended it, or all that were asked for
      resolve(isDone && code === 0 ? first + count : at.number + 1);
    });
  });
}

const numberOf = (fault) => Number(/ (\d+)(:|$)/.exec(fault)?.[1]);

/** The faults, but of what took long only what does so again: the machine may have been busy. */
async function repeated(seed, faults) {
  const again = { counts: {}, faults: [], rss: 0 };
  for (const fault of faults) {
    if (/^(slow|stall|hang) /.test(fault)) await runChild(seed, numberOf(fault), 1, again);
    else again.faults.push(fault);
  }
  return again.faults;
}

async function main(args) {
  const option = (name, otherwise) => (args.includes(name) ? Number(args[args.indexOf(name) + 1]) : otherwise);
  const [seed, count, first] = [option('--seed', 1), option('--count', 2000), option('--first', 0)];
  const total = { seed, counts: {}, faults: [], rss: 0 };
  for (let at = first; at < first + count;) at = await runChild(seed, at, Math.min(CHUNK, first + count - at), total);
  total.faults = await repeated(seed, total.faults);
  console.log(JSON.stringify(total, undefined, 1));
  if (total.faults.length > 0) {
    const files = await sources();
    const folder = join(tmpdir(), `cleanclip-fuzz-${process.pid}`);
    mkdirSync(folder, { recursive: true });
    for (const fault of total.faults.slice(0, 20)) {
      const number = numberOf(fault);
      if (!Number.isInteger(number)) continue;
      writeFileSync(
        join(folder, String(number)),
        mutate(files[number % files.length][1], draws(seed, number), { others: files.map(([, bytes]) => bytes) }).bytes,
      );
    }
    console.log(`The files are in ${folder}.`);
    process.exitCode = 1;
  }
}

if (process.argv[2] === 'child') void decodeCases(...process.argv.slice(3).map(Number));
else void main(process.argv.slice(2));
