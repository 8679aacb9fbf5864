import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { deflateSync } from 'node:zlib';

import sharp from 'sharp';

// Writers of the labelled sets' own file formats, for tiny sets that tests make.

/** Bytes that look random, the same for the same seed. */
export function noise(length: number, seed: number): Buffer {
  let state = (seed * 2654435761 + 1) >>> 0;
  return Buffer.from(
    Uint8Array.from({ length }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state >>> 24;
    }),
  );
}

export function put(root: string, path: string, content: string | Buffer): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

export const jpeg = (seed: number, width = 12, height = 9): Promise<Buffer> =>
  sharp(noise(width * height * 3, seed), { raw: { width, height, channels: 3 } })
    .jpeg()
    .toBuffer();

export const png = (seed: number, width = 7, height = 5): Promise<Buffer> =>
  sharp(noise(width * height * 3, seed), { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();

export const ppm = (seed: number, width = 6, height = 4, header = `P6\n${width} ${height}\n255\n`): Buffer =>
  Buffer.concat([Buffer.from(header), noise(width * height * 3, seed)]);

/** A file of CIFAR's Python version, as Python 2's cPickle wrote it. */
export function cifarPickle(pixels: Buffer, labels: number[], labelKey = 'labels'): Buffer {
  const text = (s: string): Buffer => Buffer.concat([Buffer.of(0x55, s.length), Buffer.from(s)]); // SHORT_BINSTRING
  const int = (n: number): Buffer => Buffer.concat([Buffer.from('J'), int32(n)]);
  return Buffer.concat([
    Buffer.from('\x80\x02}q\x01(', 'latin1'),
    text('batch_label'),
    text('testing batch 1 of 1'),
    text('data'),
    Buffer.from(
      'cnumpy.core.multiarray\n_reconstruct\nq\x02cnumpy\nndarray\nq\x03K\x00\x85U\x01b\x87Rq\x04(K\x01',
      'latin1',
    ),
    int(labels.length),
    int(3072),
    Buffer.from('\x86cnumpy\ndtype\nq\x05U\x02u1K\x00K\x01\x87Rq\x06(K\x03U\x01|NNN', 'latin1'),
    int(-1),
    int(-1),
    Buffer.from('K\x00tb\x89T', 'latin1'),
    int32(pixels.length),
    pixels,
    Buffer.from('tb'),
    text(labelKey),
    Buffer.from(']('),
    ...labels.map((label) => Buffer.of(0x4b, label)),
    Buffer.from('e'),
    Buffer.from('u.'),
  ]);
}

/** A file that torchvision reads beside the batches. */
export function cifarMeta(key: string, names: string[]): Buffer {
  const text = (s: string): string => `U${String.fromCharCode(s.length)}${s}`;
  return Buffer.from(`\x80\x02}${text(key)}](${names.map(text).join('')}es.`, 'latin1');
}

const int32 = (n: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(n);
  return bytes;
};

/** What a MAT-file's variable may be here: bytes of some shape, a number, a text, an array of structures, cells. */
export type MatContent =
  | { bytes: Buffer; dims: number[] }
  | number
  | string
  | { structs: Record<string, MatContent>[] }
  | { cells: MatContent[] };

/** A MAT-file of version 5. */
export function matFile(variables: Record<string, MatContent>, { compress = true } = {}): Buffer {
  const header = Buffer.alloc(128, ' ');
  header.write('MATLAB 5.0 MAT-file', 0);
  header.writeUInt16LE(0x0100, 124);
  header.write('IM', 126);
  const elements = Object.entries(variables).map(([name, content]) => {
    const whole = matrix(content, name);
    return compress ? element(15, deflateSync(whole), false) : whole;
  });
  return Buffer.concat([header, ...elements]);
}

function element(type: number, data: Buffer, padded = true): Buffer {
  const padding = padded ? (8 - (data.length % 8)) % 8 : 0;
  return Buffer.concat([int32(type), int32(data.length), data, Buffer.alloc(padding)]);
}

/** Four bytes or less lie in the tag itself. */
const small = (type: number, data: Buffer): Buffer =>
  data.length <= 4
    ? Buffer.concat([int32(type + data.length * 65536), data, Buffer.alloc(4 - data.length)])
    : element(type, data);

function matrix(content: MatContent, name = ''): Buffer {
  const build = (kind: number, dims: number[], ...rest: Buffer[]): Buffer =>
    element(
      14,
      Buffer.concat([
        element(6, Buffer.concat([int32(kind), int32(0)])),
        element(5, Buffer.concat(dims.map(int32))),
        small(1, Buffer.from(name)),
        ...rest,
      ]),
    );
  if (typeof content === 'number') {
    const double = Buffer.alloc(8);
    double.writeDoubleLE(content);
    return build(6, [1, 1], element(9, double)); // double
  }
  if (typeof content === 'string') return build(4, [1, content.length], small(4, Buffer.from(content, 'utf16le')));
  if ('bytes' in content) return build(9, content.dims, small(2, content.bytes)); // uint8
  if ('cells' in content) return build(1, [1, content.cells.length], ...content.cells.map((cell) => matrix(cell)));
  const fields = Object.keys(content.structs[0]);
  const names = Buffer.concat(fields.map((field) => Buffer.from(field.padEnd(32, '\0'))));
  const values = content.structs.flatMap((struct) => fields.map((field) => matrix(struct[field])));
  return build(2, [1, content.structs.length], small(5, int32(32)), element(1, names), ...values);
}

/** Classes that tiny sets have, in the form of `classes.json`. */
export const threeClasses = JSON.stringify({ classes: ['ant', 'bee', 'cat'], templates: ['a {}.'] });
