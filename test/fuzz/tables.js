// Mutated csv, classes, MAT and set files, read in this process: node test/fuzz/tables.js [--seed N] [--count M]
// [--first K] Counts what is read and refused; an error without our code, a message with control characters or a
// reading of over --slow ms ends it with code 1.
const { mkdirSync, mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { dirname, join } = require('node:path');
const { performance } = require('node:perf_hooks');
const { parseArgs } = require('node:util');
const { deflateSync } = require('node:zlib');
const { draws } = require('./draws');
const { mutate } = require('./mutations.js');
const { sizesOf } = require('../../dist/clip/open.js');
const { tokenIds } = require('../../dist/text/tokenizer.js');
const { readClasses } = require('../../dist/data/classes.js');
const { readLabelledSet } = require('../../dist/data/labelled.js');
const { readPairs } = require('../../dist/data/pairs.js');
const { CleanclipError } = require('../../dist/errors.js');

const int32 = (...values) => Buffer.from(Int32Array.from(values).buffer);
const element = (type, data) =>
  Buffer.concat([int32(type, data.length), data, Buffer.alloc((8 - (data.length % 8)) % 8)]);
const array = (kind, dims, name, ...content) =>
  element(
    14,
    Buffer.concat([element(6, int32(kind, 0)), element(5, int32(...dims)), element(1, Buffer.from(name)), ...content]),
  );
const bytes = (dims, name, data) => array(9, dims, name, element(2, data));
const text = (value) => array(4, [1, value.length], '', element(4, Buffer.from(value, 'utf16le')));
const header = Buffer.concat([Buffer.alloc(124, ' '), Buffer.from('\0\x01IM', 'latin1')]);
const packed = (whole) => Buffer.concat([int32(15, deflateSync(whole).length), deflateSync(whole)]);

const pixels = (count, size = 3072) => Buffer.from(Array.from({ length: count * size }, (_, i) => (i * 7919) & 255));
const svhn = [bytes([32, 32, 3, 2], 'X', pixels(2)), bytes([2, 1], 'y', Buffer.from([10, 3]))];
const names = Buffer.from('fname\0\0\0class\0\0\0');
const cars = array(
  2,
  [1, 2],
  'annotations',
  element(5, int32(8)),
  element(1, names),
  text('1.jpg'),
  bytes([1, 1], '', Buffer.from([1])),
  text('2.jpg'),
  bytes([1, 1], '', Buffer.from([7])),
);

const short = (value) => Buffer.concat([Buffer.from([0x55, value.length]), Buffer.from(value)]);
const pickle = Buffer.concat([
  Buffer.from('\x80\x02}q\x01(', 'latin1'),
  short('data'),
  Buffer.from(
    'cnumpy.core.multiarray\n_reconstruct\nq\x02cnumpy\nndarray\nq\x03K\x00\x85U\x01b\x87Rq\x04(K\x01K\x02' +
      'M\x00\x0c\x86cnumpy\ndtype\nq\x05U\x02u1K\x00K\x01\x87Rq\x06(K\x03U\x01|NNN',
    'latin1',
  ),
  Buffer.from('J'),
  int32(-1),
  Buffer.from('J'),
  int32(-1),
  Buffer.from('K\x00tb\x89T', 'latin1'),
  int32(6144),
  pixels(2),
  Buffer.from('tb'),
  short('labels'),
  Buffer.from('](K\x03K\x09eu.', 'latin1'),
]);

const csv =
  'image,caption,is_backdoor\na.jpg,"a cat, ""black""",0\r\nimages/b.jpg,a 5" screen,1\nc.jpg,"two\nlines",\n\n ' +
  'd.jpg , Zoë 漢字 🙂,true\n';
const classes = { classes: ['tench', 'goldfish', 7], templates: ['a photo of a {}.', 'the {} of {}!'] };
const python = `{"classes": ["tench", 'gold' "fish", 7],  # names
  "templates": [lambda c: f"a photo of a {c}.", lambda c: 'a {} {}'.format(c, c.lower()),
    lambda c: ("the %s" % c).title() + c.replace('_', ' ')]}\n`;
const model = {
  embedDim: 16,
  imageSize: 32,
  visionLayers: 2,
  visionWidth: 64,
  visionPatchSize: 8,
  contextLength: 77,
  vocabularySize: 49408,
  textWidth: 32,
  textHeads: 2,
  textLayers: 2,
};
const set = (dataType) => (folder) => readLabelledSet(folder, { dataType });

/** Each file with where it lies, what else lies there, and what reads it. */
const sources = Object.entries({
  csv: { file: 'x.csv', content: csv, read: readAll({}) },
  tsv: {
    file: 'x.tsv',
    content: 'a cat\ta.jpg\n" calm " \tb.jpg\nZoë\tc.jpg\n',
    read: readAll({ delimiter: '\\t', columns: 'caption,image' }),
  },
  utf16: { file: 'x.csv', content: Buffer.from(`\ufeff${csv}`, 'utf16le'), read: readAll({}) },
  labels: {
    file: 'labels.csv',
    content: ',image, label\n0,a.jpg,0\n1,b.jpg, 1.0\n',
    others: { 'classes.json': JSON.stringify(classes) },
    read: (path) => readLabelledSet(dirname(path)),
  },
  json: { file: 'classes.json', content: JSON.stringify(classes), read: fillTemplates },
  python: { file: 'classes.py', content: python, read: fillTemplates },
  svhn: { file: 'test_32x32.mat', content: Buffer.concat([header, ...svhn]), root: '.', read: set('SVHN') },
  svhnPacked: {
    file: 'test_32x32.mat',
    content: Buffer.concat([header, ...svhn.map(packed)]),
    root: '.',
    read: set('SVHN'),
  },
  cars: {
    file: 'stanford_cars/cars_test_annos_withlabels.mat',
    content: Buffer.concat([header, cars]),
    root: '.',
    read: set('StanfordCars'),
  },
  carsPacked: {
    file: 'stanford_cars/cars_test_annos_withlabels.mat',
    content: Buffer.concat([header, packed(cars)]),
    root: '.',
    read: set('StanfordCars'),
  },
  pickle: { file: 'cifar-10-batches-py/test_batch', content: pickle, root: '.', read: set('CIFAR10') },
  binary: {
    file: 'cifar-10-batches-bin/test_batch.bin',
    content: Buffer.concat([Buffer.from([3]), pixels(1)]),
    root: '.',
    read: set('CIFAR10'),
  },
  stl10: {
    file: 'stl10_binary/test_y.bin',
    content: Buffer.from([1, 10]),
    others: { 'stl10_binary/test_X.bin': pixels(2, 27648) },
    root: '.',
    read: set('STL10'),
  },
  food: {
    file: 'food-101/meta/test.json',
    content: JSON.stringify({ a: ['a/1'], b: ['b/2', 'b/3'], c: ['c/4'] }),
    others: { 'classes.json': JSON.stringify(classes) },
    root: '.',
    read: set('Food101'),
  },
  pets: {
    file: 'oxford-iiit-pet/annotations/test.txt',
    content: 'a_1 1 1 1\nb_2 37 2 5\n',
    root: '.',
    read: set('OxfordIIITPet'),
  },
  gtsrb: {
    file: 'gtsrb/GT-final_test.csv',
    content: 'Width;Filename;ClassId\n5;00000.ppm;16\n7;00001.ppm;1\n',
    root: '.',
    read: set('GTSRB'),
  },
  model: { file: 'model.json', content: JSON.stringify(model), read: (path) => sizesOf({ modelName: path }) },
});

function readAll(columns) {
  return async (path) => {
    const table = await readPairs(path, columns);
    for (let i = 0; i < Math.min(table.length, 20); i++) {
      tokenIds([table.caption(i)]);
      if (!(table.image(i) + table.imageField(i) + table.caption(i)).isWellFormed())
        throw new Error('A text is no UTF-16.');
      if (/\ufffd/.test(table.caption(i))) throw new Error('A caption has U+FFFD, which no source has.');
    }
  };
}

function fillTemplates(path) {
  const { classes: read, templates } = readClasses(path);
  for (const template of templates) for (const name of read) template(name);
}

/** What happens to one case: 'read', 'refused', or a fault in words. */
async function runCase(folder, seed, number, slow) {
  const draw = draws(seed, number);
  const [name, { file, content, others = {}, root, read }] = draw.pick(sources);
  const contents = sources.map(([, source]) => Buffer.from(source.content));
  const { bytes: mutated, did } = mutate(Buffer.from(content), draw, { others: contents });
  const base = join(folder, String(number));
  const fault = (what) => ({ name, did, outcome: `case ${number}, ${name} (${did.join(', ')}): ${what}` });
  for (const [path, data] of Object.entries({ ...others, [file]: mutated })) {
    mkdirSync(dirname(join(base, path)), { recursive: true });
    writeFileSync(join(base, path), data);
  }
  const start = performance.now();
  try {
    await read(root === undefined ? join(base, file) : base);
    return { name, outcome: 'read' };
  } catch (error) {
    if (error instanceof CleanclipError && /^[^\p{Cc}\u2028\u2029]{10,5000}$/u.test(error.message))
      return { name, outcome: 'refused' };
    return fault(
      error instanceof CleanclipError
        ? `message ${JSON.stringify(error.message.slice(0, 500))}`
        : String(error?.stack ?? error),
    );
  } finally {
    const took = performance.now() - start;
    rmSync(base, { recursive: true, force: true });
    if (took > slow) console.log(fault(`took ${Math.round(took)} ms`).outcome);
    if (took > slow) process.exitCode = 1;
  }
}

async function main() {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      count: { type: 'string', default: '2000' },
      first: { type: 'string', default: '0' },
      slow: { type: 'string', default: '5000' },
    },
  });
  const [seed, count, first, slow] = [values.seed, values.count, values.first, values.slow].map(Number);
  const folder = mkdtempSync(join(tmpdir(), 'cleanclip-tables-'));
  process.env.CLEANCLIP_CACHE = join(folder, 'cache');
  const counts = { read: 0, refused: 0 };
  const faults = [];
  try {
    for (let number = first; number < first + count; number++) {
      const { outcome } = await runCase(folder, seed, number, slow);
      if (outcome in counts) counts[outcome]++;
      else if (faults.push(outcome) <= 20) console.log(outcome);
      if (number % 1000 === 0) rmSync(process.env.CLEANCLIP_CACHE, { recursive: true, force: true });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(JSON.stringify({ seed, count, ...counts, faults: faults.length }));
  if (faults.length > 0) process.exitCode = 1;
}

void main();
