import fc from 'fast-check';

import { IntDict, OrderedDict, PyFloat, PyObject, PyTuple } from '../../../src/torch/python_values';
import { Fault } from '../../../src/torch/serialization/fault';
import { toPlain, type Unread } from '../../../src/torch/serialization/pickle/plain';
import { PickleReader } from '../../../src/torch/serialization/pickle/reader';
import { writePickle } from '../../../src/torch/serialization/pickle/writer';
import type { TensorMaker, TensorRecord } from '../../../src/torch/serialization/tensor_record';
import { checkpointWorld } from '../../../src/torch/serialization/world';

/** Stands for a tensor: its record, with nothing behind it. */
class Recorded {
  constructor(readonly record: TensorRecord) {}
}

const place = (value: object): TensorRecord | undefined => (value instanceof Recorded ? value.record : undefined);

const maker: TensorMaker = {
  make: (record) => new Recorded(record),
  fromArray: ({ bytes, ...array }) => ({ ...array, bytes: Buffer.from(bytes).toString('hex') }),
  isTensor: (value) => value instanceof Recorded,
  setRequiresGrad: () => undefined,
};

const readAll = (pickle: Buffer): { value: unknown; unread: Unread[] } => {
  const world = checkpointWorld(maker, pickle.length);
  const unread: Unread[] = [];
  return { value: toPlain(new PickleReader(pickle, world).read(), world, unread), unread };
};

const read = (pickle: Buffer): unknown => readAll(pickle).value;

const throughPickle = (value: unknown): unknown => read(writePickle(value, place));

const record = (dtype: string, requiresGrad = false): Recorded =>
  new Recorded({
    key: '7',
    dtype,
    recordBytes: 480,
    offset: 2,
    shape: [2, 3],
    stride: [1, 4],
    requiresGrad,
    conj: false,
    neg: false,
  });

const keys = fc.string({ unit: 'grapheme', maxLength: 8 });
const { value: anyValue } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom(
      null,
      true,
      false,
      0,
      -0,
      -1,
      255,
      256,
      65535,
      65536,
      -(2 ** 31),
      2 ** 31,
      Number.MAX_SAFE_INTEGER,
      2 ** 53,
      Infinity,
      -Infinity,
      NaN,
    ),
    fc.integer(),
    fc.double(),
    fc.bigInt(2n ** 53n, 2n ** 2039n),
    fc.bigInt(-(2n ** 2039n), -(2n ** 53n)),
    keys,
    fc.uint8Array({ maxLength: 20 }),
    fc.constantFrom(record('float32'), record('bfloat16', true), record('uint16'), record('float8_e5m2')),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.array(tie('value'), { maxLength: 5 }).map((items) => PyTuple.from(items)),
    fc.uniqueArray(fc.integer(), { maxLength: 5 }).map((items) => new Set(items)),
    fc.dictionary(keys, tie('value'), { maxKeys: 5, noNullPrototype: true }),
    fc.dictionary(keys, tie('value'), { maxKeys: 5 }).map((object) => new OrderedDict(Object.entries(object))),
    fc
      .array(fc.tuple(fc.integer(), tie('value')), { minLength: 1, maxLength: 5 })
      .map((entries) => new IntDict(entries)),
    tie('value').map(
      (item) =>
        new Map<unknown, unknown>([
          ['text', item],
          [1, item],
          [null, true],
        ]),
    ),
  ),
}));

test('any nested value comes back with its types', () => {
  fc.assert(
    fc.property(anyValue, (value) => expect(throughPickle(value)).toStrictEqual(value)),
    { numRuns: 500 },
  );
});

test('small bigints become numbers, integral numbers ints, PyFloat a float', () => {
  expect(throughPickle([5n, -3n])).toEqual([5, -3]);
  expect(writePickle(1, place).toString('hex')).toBe('80024b012e');
  expect(writePickle(new PyFloat(1), place).toString('hex')).toBe('8002473ff00000000000002e');
});

test('a value that occurs twice stays one value', () => {
  const shared = { weight: record('float32') };
  const back = throughPickle({ a: shared, b: [shared, shared.weight] }) as { a: { weight: object }; b: unknown[] };
  expect(back.b[0]).toBe(back.a);
  expect(back.b[1]).toBe(back.a.weight);
});

test('a text that looks like a global stays a text', () => {
  const value = [new OrderedDict(), 'collections\nOrderedDict\n', new OrderedDict()];
  expect(throughPickle(value)).toStrictEqual(value);
});

test('more values than BINPUT can number', () => {
  const value = Array.from({ length: 1000 }, (_, i) => [`name ${i}`]);
  expect(throughPickle([value, value])).toEqual([value, value]);
});

test('a key __proto__ is an entry, not a prototype', () => {
  const value = throughPickle(new OrderedDict([['__proto__', { polluted: true }]])) as { polluted?: boolean };
  expect(value.polluted).toBeUndefined();
  expect(Object.keys(value)).toEqual(['__proto__']);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

test.each([
  ['at a.1 is undefined', { a: [1, undefined] }],
  ['at step is a function', { step: () => 1 }],
  ['The value to save is a Date', new Date(0)],
  ['at data is a Float32Array', { data: new Float32Array(2) }],
  ['more than 255 bytes', 1n << 5000n],
  ['IntDict with the key "x"', new IntDict([['x' as unknown as number, 1]])],
])('refuses to save: %s', (message, value) => {
  expect(() => writePickle(value, place)).toThrow(
    expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringContaining(message) }),
  );
});

test('a value that contains itself and one that is too deep cannot be saved', () => {
  const loop: unknown[] = [];
  loop.push({ loop });
  expect(() => writePickle(loop, place)).toThrow('at 0.loop contains itself');
  let deep: unknown = 1;
  for (let i = 0; i < 10_000; i++) deep = [deep];
  expect(() => writePickle(deep, place)).toThrow('more than 500 deep');
});

describe('pickles of other protocols', () => {
  // pickle.dumps({"a": [1, 2.5, (True, None)], "s": {1}, "b": b"xy", "o": OrderedDict(x=1), 3: -2**70}, protocol) by
  // CPython 3.11
  const expected = new Map<unknown, unknown>([
    ['a', [1, 2.5, PyTuple.of<unknown>(true, null)]],
    ['s', new Set([1])],
    ['b', Uint8Array.from(Buffer.from('xy'))],
    ['o', new OrderedDict([['x', 1]])],
    [3, -(2n ** 70n)],
  ]);
  test.each([
    [
      2,
      [
        '80027d71002858010000006171015d7102284b01474004000000000000884e867103655801000000737104635f5f6275696c',
        '74696e5f5f0a7365740a71055d71064b01618571075271085801000000627109635f636f646563730a656e636f64650a710a',
        '58020000007879710b58060000006c6174696e31710c86710d52710e58010000006f710f63636f6c6c656374696f6e730a4f',
        '726465726564446963740a71102952711158010000007871124b01734b038a090000000000000000c0752e',
      ].join(''),
    ],
    [
      3,
      [
        '80037d71002858010000006171015d7102284b01474004000000000000884e867103655801000000737104636275696c7469',
        '6e730a7365740a71055d71064b0161857107527108580100000062710943027879710a58010000006f710b63636f6c6c6563',
        '74696f6e730a4f726465726564446963740a710c2952710d580100000078710e4b01734b038a090000000000000000c0752e',
      ].join(''),
    ],
    [
      4,
      [
        '80049568000000000000007d94288c0161945d94284b01474004000000000000884e8694658c0173948f94284b01908c0162',
        '9443027879948c016f948c0b636f6c6c656374696f6e73948c0b4f726465726564446963749493942952948c0178944b0173',
        '4b038a090000000000000000c0752e',
      ].join(''),
    ],
    [
      5,
      [
        '80059568000000000000007d94288c0161945d94284b01474004000000000000884e8694658c0173948f94284b01908c0162',
        '9443027879948c016f948c0b636f6c6c656374696f6e73948c0b4f726465726564446963749493942952948c0178944b0173',
        '4b038a090000000000000000c0752e',
      ].join(''),
    ],
  ] as const)('protocol %i', (_, hex) => expect(read(Buffer.from(hex, 'hex'))).toStrictEqual(expected));
});

const text = (value: string): string => `X${String.fromCharCode(value.length, 0, 0, 0)}${value}`;
const pickle = (body: string): Buffer => Buffer.from(`\x80\x02${body}.`, 'latin1');

describe('hostile pickles', () => {
  test.each([
    ['os.system', `cos\nsystem\n(${text('echo pwned')}tR`],
    ['posix.system', `cposix\nsystem\n(${text('echo pwned')}tR`],
    ['builtins.eval', `cbuiltins\neval\n(${text('1')}tR`],
    ['__builtin__.eval', `c__builtin__\neval\n(${text('1')}tR`],
    ['builtins.getattr', `cbuiltins\ngetattr\n(${text('1')}tR`],
    ['subprocess.Popen', `csubprocess\nPopen\n)\x81`],
    ['torch.load', `ctorch\nload\n)R`],
    ['torch.hub.load', `ctorch.hub\nload\n)R`],
    ['numpy.load', `cnumpy\nload\n)R`],
    ['os.system', `${text('os')}${text('system')}\x93)R`],
    ['torch._utils.os.system', `ctorch._utils\nos.system\n)R`],
  ])('names %s, of which nothing is run', (name, body) => {
    const { value, unread } = readAll(pickle(body));
    expect(value).toBeInstanceOf(PyObject);
    expect(unread).toEqual([{ key: '', className: name.replace('__builtin__', 'builtins') }]);
  });

  test('a tensor that is handed to an unknown function stands nowhere else', () => {
    const storage = `(${text('storage')}ctorch\nFloatStorage\n${text('0')}${text('cpu')}K\x01tQ`;
    const tensor = `ctorch._utils\n_rebuild_tensor_v2\n(${storage}K\x00K\x01\x85K\x01\x85\x89}tRq\x01`;
    const call = `coperator\nineg\n](h\x01e\x85R`;
    expect(() => read(pickle(`(${tensor}${call}t`))).toThrow(/passes the tensor at 0 to an unknown function/);
    expect(read(pickle(`(${tensor}0${call}t`))).toEqual(PyTuple.of(expect.any(PyObject)));
    expect(read(pickle(`(${tensor}coperator\nThing\n)\x81}${text('a')}h\x01sbt`))).toEqual(
      PyTuple.of(expect.any(Recorded), expect.any(PyObject)),
    );
  });

  test.each([
    ['a call of a text', `${text('x')})R`],
    ['a call of a storage class', 'ctorch\nFloatStorage\n)R'],
    ['arguments that are a list', 'ccollections\nOrderedDict\n]R'],
    ['BUILD on a list', ']}b'],
    ['BUILD on a plain dict', '}}b'],
    ['APPEND to a tuple', ')K\x01a'],
    ['SETITEM on a list', ']K\x01K\x01s'],
    ['SETITEMS with an odd count', '}(K\x01u'],
    ['ADDITEMS to a list', '](K\x01\x90'],
    ['INST', '(ios\nsystem\n'],
    ['OBJ', '(cos\nsystem\no'],
    ['EXT1', '\x82\x01'],
    ['NEWOBJ_EX of a class that takes no keywords', 'ccollections\nOrderedDict\n)}\x92'],
    ['a class that gets its state', 'cargparse\nNamespace\n}b'],
    ['PERSID', 'Pstorage\n'],
    ['NEXT_BUFFER', '\x97'],
    ['protocol 9', '\x80\x09N'],
    ['an unknown persistent id', `(${text('file')}${text('/etc/passwd')}tQ`],
    ['a persistent id that is a text', `${text('x')}Q`],
    ['a memo that was never set', 'h\x05'],
    ['a stack underflow', 'aR'],
    ['a pop below a mark', 'K\x01(a'],
    ['a missing mark', 'K\x01t'],
    ['an empty stack at the end', ''],
    ['a text longer than the pickle', 'X\xff\xff\xff\xffab'],
    ['a text of 2^63 bytes', '\x8d\xff\xff\xff\xff\xff\xff\xff\x7fab'],
    ['an integer of 1,000 bytes', `\x8b\xe8\x03\x00\x00${'\x01'.repeat(1000)}`],
    ['a list that contains itself', ']q\x00h\x00a'],
    ['lists 10,000 deep', `${']'.repeat(10_000)}${'a'.repeat(9_999)}`],
    ['tuples 10,000 deep', `)${'\x85'.repeat(10_000)}`],
    ['bytes by another codec', `c_codecs\nencode\n(${text('x')}${text('rot13')}tR`],
  ])('%s', (_, body) => expect(() => read(pickle(body))).toThrow(Fault));

  test('repeating a large copy by reference ends early', () => {
    const list = `](${'K\x01'.repeat(1000)}eq\x00`;
    const copy = 'c__builtin__\nset\nh\x00\x85R0';
    expect(() => read(pickle(`${list}${copy.repeat(100_000)}N`))).toThrow(/more values than its size allows/);
  });

  test.each([
    ['values', 'N', /more than 2097152 values/],
    ['dicts', '}', /more than 524288 collections/],
    ['calls', 'h\x00h\x01R', /more than 524288 collections/],
    ['references', '\x94', /numbers more than 1048576 values/],
    ['marks', '(', /begins more than 524288 collections at once/],
    ['steps', '(1', /takes more than 16777216 steps/],
    ['floats', 'G?\xb9\x99\x99\x99\x99\x99\x9a', /more than 2097152 values/],
  ])('%s without end are refused before they fill the memory', (_, unit, message) => {
    expect(() => read(pickle(`ccollections\nOrderedDict\nq\x00)q\x01${unit.repeat(17_000_000)}`))).toThrow(message);
  });

  test('classes without end are refused', () => {
    const names = Array.from({ length: 20_000 }, (_, i) => `ca\nb${i}\n`).join('');
    expect(() => read(pickle(`(${names}t`))).toThrow(/names more than 16384 classes/);
  });

  test('doubling by reference stays small', () => {
    const pair = (i: number): string => {
      const get = `h${String.fromCharCode(i)}`;
      return `](${get}${get}eq${String.fromCharCode(i + 1)}`;
    };
    const body = `]q\x00${Array.from({ length: 100 }, (_, i) => pair(i)).join('')}`;
    let value = read(pickle(body)) as unknown[][];
    for (let i = 0; i < 100; i++) {
      expect(value[0]).toBe(value[1]);
      value = value[0] as unknown[][];
    }
  });

  const tensor = (fields: {
    offset?: string;
    shape?: string;
    stride?: string;
    count?: string;
    dtype?: string;
  }): Buffer => {
    const {
      offset = 'K\x00',
      shape = 'K\x02\x85',
      stride = 'K\x01\x85',
      count = 'K\x02',
      dtype = 'FloatStorage',
    } = fields;
    const storage = `(${text('storage')}ctorch\n${dtype}\n${text('0')}${text('cpu')}${count}tQ`;
    return pickle(`ctorch._utils\n_rebuild_tensor_v2\n(${storage}${offset}${shape}${stride}\x89}tR`);
  };
  test('a good tensor, for comparison', () => expect(read(tensor({}))).toBeInstanceOf(Recorded));
  test.each([
    ['a negative offset', { offset: 'J\xff\xff\xff\xff' }],
    ['an offset that is a text', { offset: text('x') }],
    ['a negative size', { shape: 'J\xff\xff\xff\xff\x85' }],
    ['a negative stride', { stride: 'J\xff\xff\xff\xff\x85' }],
    ['a size of 2^64', { shape: '\x8a\x09\0\0\0\0\0\0\0\0\x01\x85' }],
    ['a fractional size', { shape: 'G\x3f\xe0\0\0\0\0\0\0\x85' }],
    ['65 dimensions', { shape: `(${'K\x01'.repeat(65)}t` }],
    ['no shape', { shape: 'N' }],
    ['a negative storage', { count: 'J\xff\xff\xff\xff' }],
    ['a quantized storage', { dtype: 'QInt8Storage' }],
  ])('a tensor with %s', (_, fields) => expect(() => read(tensor(fields))).toThrow(Fault));
});

test('a pickle that is cut anywhere, or has a wrong byte, gives a Fault or a value', () => {
  const whole = writePickle(
    { epoch: 3, name: 'x', state_dict: new OrderedDict([['w', record('float32')]]), betas: PyTuple.of(0.9, 0.999) },
    place,
  );
  for (let size = 0; size < whole.length; size++) expect(() => read(whole.subarray(0, size))).toThrow(Fault);
  for (let at = 0; at < whole.length; at++) {
    for (let byte = at % 5; byte < 256; byte += 5) {
      const changed = Buffer.from(whole);
      changed[at] = byte;
      try {
        read(changed);
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
      }
    }
  }
});
