import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';

import { type DType, type Tensor, torch } from '../../../src/torch';
import { refusesEveryCut, survivesChangedBytes } from '../../support/mutations';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'cleanclip-safetensors-'))));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name = 'x.safetensors'): string => join(folder, name);

type Tensors = Record<string, Tensor>;

const roundTrip = (tensors: Tensors): Tensors => {
  torch.save(tensors, file());
  return torch.load(file()) as Tensors;
};

const dtypes: DType[] = [
  'float64',
  'float32',
  'float16',
  'bfloat16',
  'int64',
  'int32',
  'int16',
  'int8',
  'uint8',
  'bool',
  'complex64',
  'uint16',
  'uint32',
  'uint64',
  'float8_e4m3fn',
  'float8_e5m2',
];

test('any tensors come back, whatever their names, dtypes, shapes and strides', () => {
  const shape = fc.array(fc.nat(4), { maxLength: 4 });
  const name = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((text) => text !== '__metadata__');
  const one = fc.record({ dtype: fc.constantFrom(...dtypes), shape, transposed: fc.boolean() });
  fc.assert(
    fc.property(fc.dictionary(name, one, { minKeys: 1, maxKeys: 6, noNullPrototype: true }), (wanted) => {
      torch.tidy(() => {
        const tensors = Object.entries(wanted).map(([key, { dtype, shape, transposed }]): [string, Tensor] => {
          const tensor = torch.randint(0, 2, shape).to(dtype);
          return [key, transposed && shape.length === 2 ? tensor.t() : tensor];
        });
        const back = Object.entries(roundTrip(Object.fromEntries(tensors)));
        const spelled = ([key, tensor]: [string, Tensor]): unknown[] => [
          key,
          tensor.dtype,
          tensor.shape,
          tensor.contiguous().data(),
        ];
        const byName = (a: unknown[], b: unknown[]): number => (String(a[0]) < String(b[0]) ? -1 : 1);
        expect(back.map(spelled).sort(byName)).toEqual(tensors.map(spelled).sort(byName));
      });
    }),
    { numRuns: 60 },
  );
});

test('the header is what the format describes, large elements first and aligned', () => {
  torch.save({ small: torch.tensor([1, 0, 1]).to('uint8'), large: torch.tensor([1.5]) }, file());
  const bytes = readFileSync(file());
  const size = Number(bytes.readBigUInt64LE());
  expect(size % 8).toBe(0);
  expect(JSON.parse(bytes.toString('utf8', 8, 8 + size))).toEqual({
    large: { dtype: 'F32', shape: [1], data_offsets: [0, 4] },
    small: { dtype: 'U8', shape: [3], data_offsets: [4, 7] },
  });
  expect(bytes.subarray(8 + size).toString('hex')).toBe('0000c03f010001');
});

/** A file of this header and so many bytes of data. */
function made(header: unknown, dataBytes: number, declared?: number | bigint): Buffer {
  const json = typeof header === 'string' ? Buffer.from(header, 'latin1') : Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(declared ?? json.length));
  return Buffer.concat([length, json, Buffer.alloc(dataBytes, 1)]);
}
const load = (bytes: Buffer): Tensors => {
  writeFileSync(file(), bytes);
  return torch.load(file()) as Tensors;
};
const entry = (begin: number, end: number, rest: object = {}): object => ({
  dtype: 'U8',
  shape: [end - begin],
  data_offsets: [begin, end],
  ...rest,
});

test('headers of every length are told from a pickle and a zip file', () => {
  for (let extra = 0; extra < 600; extra += 8)
    expect(load(made(`{"a":${JSON.stringify(entry(0, 2))}}`.padEnd(64 + extra), 2)).a.toArray()).toEqual([1, 1]);
});

test('views and lazily conjugated tensors are written as what they show', () => {
  const wide = torch.arange(6).view([2, 3]);
  const back = roundTrip({
    column: wide.select(1, 2),
    conjugate: torch.ops.aten.complex(torch.tensor([1]), torch.tensor([2])).conj(),
  });
  expect(back.column.toArray()).toEqual([2, 5]);
  expect(Array.from(back.conjugate.data() as Float32Array)).toEqual([1, -2]);
});

test.each<[string, unknown, RegExp]>([
  ['a nested object', { a: { b: torch.ones([1]) } }, /'a' is not a tensor/],
  ['a number', { epoch: 1 }, /'epoch' is not a tensor/],
  ['a tensor alone', torch.ones([1]), /has none/],
  ['nothing', null, /has none/],
  ['complex128', { z: torch.ones([1]).to('complex128') }, /'z' is of dtype complex128/],
  ['the name of the metadata', { __metadata__: torch.ones([1]) }, /can be called '__metadata__'/],
])('%s cannot be saved so, and no file is left', (_, value, message) => {
  expect(() => torch.save(value, file('none.safetensors'))).toThrow(
    expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringMatching(message) }),
  );
  expect(existsSync(file('none.safetensors'))).toBe(false);
});

test('other writers: padded headers, metadata, unaligned data, empty tensors, a name __proto__', () => {
  const json =
    `{"__metadata__":{"format":"pt"},"b":${JSON.stringify(entry(0, 1))},` +
    `"__proto__":${JSON.stringify(entry(1, 5, { dtype: 'F32', shape: [] }))},` +
    '"e":{"dtype":"I64","shape":[0,7],"data_offsets":[5,5]}}   ';
  const tensors = load(made(json, 5));
  expect(Object.keys(tensors)).toEqual(['b', '__proto__', 'e']);
  expect(Object.getPrototypeOf(tensors)).toBe(Object.prototype);
  expect(tensors.b.toArray()).toEqual([1]);
  expect(Object.entries(tensors)[1][1].item()).toBeCloseTo(Buffer.alloc(4, 1).readFloatLE(), 40);
  expect(tensors.e.shape).toEqual([0, 7]);
});

test('a tensor may be written to, and the file does not change', () => {
  torch.save({ a: torch.ones([3]) }, file());
  const before = readFileSync(file());
  (torch.load(file()) as Tensors).a.fill_(5);
  expect(readFileSync(file()).equals(before)).toBe(true);
});

test.each<[string, Buffer, string]>([
  ['a header of 2^63 bytes', made({ a: entry(0, 2) }, 2, 2n ** 63n), 'is not a checkpoint'],
  ['a header of 90 MB', made({ a: entry(0, 2) }, 2, 90_000_000), 'has a header of 90000000 bytes'],
  ['a header longer than the file', made({ a: entry(0, 2) }, 2, 1000), 'its header reaches past its end'],
  ['a header that is cut', made({ a: entry(0, 2) }, 2, 10), 'its header is not valid JSON'],
  ['text that is no UTF-8', made('{"\xff":1}', 0), 'its header is not valid JSON'],
  ['brackets without end', made(`{"a":${'['.repeat(1_000_000)}`, 0), 'its header is not valid JSON'],
  ['an entry that is a number', made({ a: 1 }, 0), 'does not give dtype, shape and data offsets of a'],
  ['an entry that is null', made({ a: null }, 0), 'does not give'],
  ['a shape that is a text', made({ a: entry(0, 2, { shape: '2' }) }, 2), 'does not give'],
  ['a negative size', made({ a: entry(0, 2, { shape: [-2] }) }, 2), 'not written in digits alone'],
  ['a size of 2.0', made('{"a":{"dtype":"U8","shape":[2.0],"data_offsets":[0,2]}}', 2), 'not written in digits alone'],
  ['a size of 2e0', made('{"a":{"dtype":"U8","shape":[2e0],"data_offsets":[0,2]}}', 2), 'not written in digits alone'],
  [
    'an offset of -0',
    made('{"a \\" -1":{"dtype":"U8","shape":[2],"data_offsets":[-0,2]}}', 2),
    'not written in digits alone',
  ],
  ['a fractional size', made({ a: entry(0, 2, { shape: [0.5] }) }, 2), 'not written in digits alone'],
  ['65 dimensions', made({ a: entry(0, 1, { shape: Array(65).fill(1) }) }, 1), 'does not give'],
  [
    'sizes whose product overflows',
    made({ a: entry(0, 2, { shape: [2 ** 40, 2 ** 40] }) }, 2),
    'has 2 bytes, but uint8 [1099511627776, 1099511627776] takes',
  ],
  ['one offset', made({ a: entry(0, 2, { data_offsets: [0] }) }, 2), 'does not give'],
  ['a negative offset', made({ a: entry(0, 2, { data_offsets: [-2, 0] }) }, 2), 'not written in digits alone'],
  ['offsets in the wrong order', made({ a: entry(0, 2, { data_offsets: [2, 0] }) }, 2), 'has -2 bytes'],
  [
    'a size that does not fit the shape',
    made({ a: entry(0, 2, { dtype: 'F32' }) }, 2),
    'has 2 bytes, but float32 [2] takes 8',
  ],
  ['an unknown dtype', made({ a: entry(0, 2, { dtype: 'F4' }) }, 2), 'of dtype F4, which libtorch does not have'],
  ['no dtype', made({ a: { shape: [2], data_offsets: [0, 2] } }, 2), 'does not give'],
  ['overlapping tensors', made({ a: entry(0, 2), b: entry(1, 3) }, 3), 'its tensor b begins within the one before'],
  ['a gap', made({ a: entry(0, 2), b: entry(3, 4) }, 4), 'its tensor b begins past the end of the one before'],
  ['bytes that belong to no tensor', made({ a: entry(0, 2) }, 5), '3 bytes at its end belong to no tensor'],
  ['missing bytes', made({ a: entry(0, 2) }, 1), 'its tensors reach past its end'],
  ['control characters in a name', made({ 'a\u001b[2J': 1 }, 0), 'data offsets of a?[2J'],
])('%s', (_, bytes, message) => {
  expect(() => load(bytes)).toThrow(
    expect.objectContaining({ code: 'ERR_CHECKPOINT', message: expect.stringContaining(message) }),
  );
});

test('a file that is cut anywhere is refused, and a changed byte gives a value or a sentence', () => {
  torch.save(
    { 'visual.proj': torch.rand([2, 3]), ids: torch.tensor([1, 2]).to('int64'), mask: torch.tensor([1]).to('bool') },
    file(),
  );
  const whole = readFileSync(file());
  refusesEveryCut(file(), whole);
  expect(survivesChangedBytes(file(), whole)).toBeGreaterThan(150);
});
