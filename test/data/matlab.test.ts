import { deflateSync } from 'node:zlib';

import { type MatNumbers, readMatlab } from '../../src/data/matlab';
import { matFile } from '../support/labelled_sets';

const header = matFile({}, { compress: false });
const bytesOf = (numbers: Int32Array | Float64Array): Buffer => Buffer.from(numbers.buffer);

function element(type: number, data: Buffer): Buffer {
  return Buffer.concat([bytesOf(Int32Array.of(type, data.length)), data, Buffer.alloc((8 - (data.length % 8)) % 8)]);
}

const array = (kind: number, dims: Buffer, ...content: Buffer[]): Buffer =>
  element(
    14,
    Buffer.concat([element(6, bytesOf(Int32Array.of(kind, 0))), dims, element(1, Buffer.from('x')), ...content]),
  );
const ints = (...values: number[]): Buffer => element(5, bytesOf(Int32Array.from(values)));
const doubles = (...values: number[]): Buffer => element(9, bytesOf(Float64Array.from(values)));
const read = (...elements: Buffer[]): Promise<unknown> => readMatlab(Buffer.concat([header, ...elements]));

test.each([
  ['a length of 1e-9, in 232 bytes', doubles(1e-9), /sizes that are not int32/],
  ['a length of 0', ints(0), /0 as the length of the names/],
  ['a length below 0', ints(-8), /sizes below 0/],
  ['a length beyond a name', ints(65), /65 as the length of the names/],
])('names of fields with %s are refused at once', async (_, length, message) => {
  const begin = performance.now();
  const struct = array(2, ints(1, 1), length, element(1, Buffer.from('a\0\0\0\0\0\0\0')));
  await expect(read(struct)).rejects.toThrow(message);
  expect(performance.now() - begin).toBeLessThan(5000);
});

test.each([
  ['a fraction', doubles(0.5, 2)],
  ['below 0', ints(-1, 4)],
  ['of another type', element(6, bytesOf(Int32Array.of(1, 1)))],
  ['none', element(5, Buffer.alloc(0))],
])('sizes that are %s are refused', async (_, dims) => {
  await expect(read(array(6, dims, doubles(1)))).rejects.toThrow(/is damaged: it has sizes/);
});

test('a long text in a small file is refused before it is unpacked whole', async () => {
  const whole = array(4, ints(1, 60_000_000), element(4, Buffer.alloc(120_000_000, 'a')));
  const packed = deflateSync(whole);
  expect(packed.length).toBeLessThan(130_000);
  await expect(read(Buffer.concat([bytesOf(Int32Array.of(15, packed.length)), packed]))).rejects.toThrow(
    /compressed data that cannot be unpacked/,
  );
});

test('texts, cells and structures have 16 MiB together, numbers more', async () => {
  const text = array(4, ints(1, 9_000_000), element(1, Buffer.alloc(9_000_000, 'a')));
  await expect(read(text, text)).rejects.toThrow(/more than 16777216 bytes of strings, cells and structures/);
  const numbers = array(9, ints(1, 20_000_000), element(2, Buffer.alloc(20_000_000)));
  expect(((await read(numbers)) as Map<string, MatNumbers>).get('x')).toHaveLength(20_000_000);
});

test.each([
  [1, Buffer.from('caf\xe9', 'latin1')],
  [4, Buffer.from('café', 'utf16le')],
  [16, Buffer.from('café')],
  [17, Buffer.from('café', 'utf16le')],
])('texts of type %d are decoded', async (type, bytes) => {
  expect(await read(array(4, ints(1, 4), element(type, bytes)))).toEqual(new Map([['x', 'café']]));
});
