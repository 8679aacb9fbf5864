import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

import { CleanclipError } from '../../../src/errors';
import { type DType, type Tensor, torch } from '../../../src/torch';
import { IntDict, load, OrderedDict, PyTuple, save, type Unread } from '../../../src/torch/serialization';
import { FileBytes } from '../../../src/torch/serialization/file_bytes';
import { ZipReader } from '../../../src/torch/serialization/zip/reader';
import { ZipWriter } from '../../../src/torch/serialization/zip/writer';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'cleanclip-pt-'))));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name = 'x.pt'): string => join(folder, name);

const roundTrip = <T>(value: T): T => {
  save(value, file());
  return load(file()) as T;
};

const checkpoint = (): Record<string, unknown> => ({
  epoch: 3,
  name: 'cleanse',
  state_dict: new OrderedDict([
    ['logit_scale', torch.tensor(2.6592)],
    ['visual.conv1.weight', torch.randn([4, 3, 2, 2])],
  ]),
  optimizer: {
    state: new IntDict([
      [0, { step: torch.tensor(7), exp_avg: torch.randn([4, 3, 2, 2]), exp_avg_sq: torch.rand([4, 3, 2, 2]) }],
    ]),
    param_groups: [
      {
        lr: 1e-3,
        betas: PyTuple.of(0.9, 0.999),
        eps: 1e-8,
        weight_decay: 0.1,
        amsgrad: false,
        foreach: null,
        params: [0, 1],
      },
    ],
  },
});

/** Tensors as their dtype, shape and elements, so that values can be compared. */
const spelled = (value: unknown): unknown => {
  if (value instanceof torch.Tensor)
    return { dtype: value.dtype, shape: value.shape, requiresGrad: value.requiresGrad, data: value.data() };
  if (Array.isArray(value)) return value.map(spelled);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, spelled(item)]));
};

const refusal = (path: string): CleanclipError => {
  try {
    load(path);
  } catch (error) {
    expect(error).toBeInstanceOf(CleanclipError);
    expect(error).toMatchObject({ code: 'ERR_CHECKPOINT', message: expect.stringContaining(path) });
    return error as CleanclipError;
  }
  throw new Error(`${path} was read.`);
};

test('a training checkpoint comes back', () => {
  const before = checkpoint();
  const after = roundTrip(before) as {
    state_dict: object;
    optimizer: { state: object; param_groups: { betas: unknown }[] };
  };
  expect(spelled(after)).toEqual(spelled(before));
  expect(after.state_dict).toBeInstanceOf(OrderedDict);
  expect(after.optimizer.state).toBeInstanceOf(IntDict);
  expect(after.optimizer.param_groups[0].betas).toBeInstanceOf(PyTuple);
});

const dtypes: DType[] = [
  ...([
    'float32',
    'float64',
    'float16',
    'bfloat16',
    'int64',
    'int32',
    'int16',
    'int8',
    'uint8',
    'bool',
    'complex64',
    'complex128',
  ] as const),
  ...(['uint16', 'uint32', 'uint64', 'float8_e4m3fn', 'float8_e5m2'] as const),
];
test.each(dtypes)('%s', (dtype) => {
  const tensor = torch
    .tensor([
      [0, 1, 1],
      [1, 0, 1],
    ])
    .to(dtype);
  const scalar = torch.tensor(1).to(dtype);
  const back = roundTrip({ tensor, scalar, empty: torch.empty([0, 3], { dtype }) });
  expect(spelled(back)).toEqual(spelled({ tensor, scalar, empty: torch.empty([0, 3], { dtype }) }));
});

test('requires_grad stays, and what was recorded is left behind', () => {
  const leaf = torch.tensor([1, 2], { requiresGrad: true });
  const back = roundTrip({ leaf, twice: leaf.mul(2), frozen: torch.tensor([1]) });
  expect([back.leaf.requiresGrad, back.twice.requiresGrad, back.frozen.requiresGrad]).toEqual([true, true, false]);
  expect(back.twice.isLeaf).toBe(true);
});

test('strides and shared memory stay', () => {
  const weight = torch.arange(6).view([2, 3]);
  const back = roundTrip({
    weight,
    tied: weight,
    transposed: weight.t(),
    column: weight.select(1, 2),
    spread: torch.tensor([7]).expand([4]),
  });
  expect(back.transposed.toArray()).toEqual([
    [0, 3],
    [1, 4],
    [2, 5],
  ]);
  expect(back.transposed.strides).toEqual([1, 3]);
  expect(back.spread.strides).toEqual([0]);
  expect(back.tied).toBe(back.weight);
  back.weight.fill_(9);
  expect(back.column.toArray()).toEqual([9, 9]);
});

test('lazily conjugated tensors are saved as what they mean', () => {
  const imaginary = torch.ops.aten.complex(torch.tensor([1, 2]), torch.tensor([3, 4]));
  const back = roundTrip({ conjugate: imaginary.conj(), negative: torch.ops.aten.imag(imaginary.conj()) });
  expect(Array.from(back.conjugate.data() as Float32Array)).toEqual([1, -3, 2, -4]);
  expect(back.negative.toArray()).toEqual([-3, -4]);
});

test('a small view of a large storage is saved small, and so is what was loaded', () => {
  const large = torch.zeros([1_000_000]);
  save({ part: large.narrow(0, 500_000, 10) }, file('part.pt'));
  expect(statSync(file('part.pt')).size).toBeLessThan(2000);
  save({ large, part: torch.ones([10]) }, file('both.pt'));
  save((load(file('both.pt')) as { part: Tensor }).part, file('again.pt'));
  expect(statSync(file('again.pt')).size).toBeLessThan(2000);
});

test('loaded tensors can be trained, and the file does not change', () => {
  save({ a: torch.ones([3], { requiresGrad: true }), b: torch.ones([3], { requiresGrad: true }) }, file());
  const before = readFileSync(file());
  const { a, b } = load(file()) as { a: Tensor; b: Tensor };
  a.mul(b).sum().backward();
  expect(a.grad!.toArray()).toEqual([1, 1, 1]);
  const next = b.mul(b).sum();
  torch.noGrad(() => a.sub_(0.5)); // must not disturb what was recorded of b
  next.backward();
  expect(a.toArray()).toEqual([0.5, 0.5, 0.5]);
  expect(readFileSync(file()).equals(before)).toBe(true);
});

test('a file may be replaced while its tensors are in use', () => {
  save({ a: torch.full([5000], 1) }, file());
  const { a } = load(file()) as { a: Tensor };
  save({ a: torch.full([5], 2) }, file());
  expect(a.sum().item()).toBe(5000);
});

test('a record that several threads write has its bytes and their CRC-32', () => {
  const w = torch.arange(17_000_001, { dtype: 'int32' }); // 65 MiB
  const small = torch.tensor([1, 2, 3]);
  save({ w, small }, file());
  const fd = openSync(file(), 'r');
  const zip = new ZipReader(new FileBytes(fd, statSync(file()).size));
  expect(zip.read('archive/data/0').equals(Buffer.from(w.bytes()))).toBe(true); // read compares the CRC-32 too
  expect(zip.read('archive/data/1').equals(Buffer.from(small.bytes()))).toBe(true);
  closeSync(fd);
  const written = readFileSync(file());
  const crc = written.readUInt32LE(written.indexOf('archive/data/0', written.indexOf('PK\x01\x02')) - 46 + 16);
  expect(crc).toBe(crc32(w.bytes()));
});

test('values without tensors, at the top too', () => {
  expect(roundTrip<unknown>([1, 'x', null])).toEqual([1, 'x', null]);
  expect(roundTrip<unknown>(torch.tensor([1, 2]))).toHaveProperty('shape', [2]);
});

test('a value that cannot be saved leaves the earlier file and no other', () => {
  const path = join(folder, 'keep', 'x.pt');
  save({ epoch: 1 }, path);
  expect(() => save({ epoch: 2, date: new Date(0) }, path)).toThrow(/at date is a Date/);
  expect(() => save({ q: torch.ops.aten.quantize_per_tensor(torch.ones([2]), 0.1, 0, 'qint8') }, path)).toThrow(
    /dtype qint8/,
  );
  expect(load(path)).toEqual({ epoch: 1 });
  expect(readdirSync(join(folder, 'keep'))).toEqual(['x.pt']);
});

test('a write that fails at its end leaves what was there and nothing else', () => {
  const path = join(folder, 'taken', 'x.pt');
  mkdirSync(path, { recursive: true });
  expect(() => save({ w: torch.ones([3]) }, path)).toThrow(expect.objectContaining({ code: 'ERR_CHECKPOINT' }));
  expect(readdirSync(join(folder, 'taken'))).toEqual(['x.pt']);
});

test('loading and saving leave no tensors behind but those returned', () => {
  const before = torch.memory().tensors;
  torch.tidy(() => {
    save(checkpoint(), file('tidy.pt'));
  });
  expect(torch.memory().tensors).toBe(before);
  const { part } = load(file('part.pt')) as { part: Tensor };
  expect(torch.memory().tensors).toBe(before + 1);
  part.dispose();
  expect(torch.memory().tensors).toBe(before);
});

describe('files that are no checkpoint', () => {
  test.each([
    ['empty', '', 'is empty'],
    ['html', '<!DOCTYPE html><html>', 'is a web page'],
    ['lfs', 'version https://git-lfs.github.com/spec/v1\noid sha256:1', 'Git LFS pointer'],
    ['noise', 'hello', 'is not a checkpoint'],
    ['tar', `${'sys_info'.padEnd(257, '\0')}ustar\x0000`, 'tar format of the first versions'],
    ['pickle', '\x80\x02N.', 'is a pickle, but torch.save did not write it'],
  ])('%s', (name, content, message) => {
    writeFileSync(file(name), content, 'latin1');
    expect(refusal(file(name)).message).toContain(message);
  });

  test('missing, a folder, unreadable', () => {
    expect(refusal(file('nowhere.pt')).message).toBe(
      `There is no checkpoint at ${file('nowhere.pt')}; check the path.`,
    );
    mkdirSync(file('folder.pt'));
    expect(refusal(file('folder.pt')).message).toContain('it is a folder');
    if (process.getuid?.() === 0) return; // root reads everything
    writeFileSync(file('secret.pt'), '');
    chmodSync(file('secret.pt'), 0);
    expect(refusal(file('secret.pt')).message).toContain('EACCES');
  });

  test('another zip file, a TorchScript archive without a module, a big-endian file', () => {
    archive({ 'x/hello.txt': 'hello' });
    expect(refusal(file('archive.pt')).message).toContain('no record data.pkl');
    archive({ 'x/data.pkl': '\x80\x02N.', 'x/constants.pkl': '' });
    expect(refusal(file('archive.pt')).message).toContain('is a TorchScript archive without a module');
    archive({ 'x/data.pkl': '\x80\x02N.', 'x/byteorder': 'big' });
    expect(refusal(file('archive.pt')).message).toContain('big-endian');
  });
});

function archive(records: Record<string, string>): void {
  const parts: Uint8Array[] = [];
  const zip = new ZipWriter((bytes) => parts.push(Uint8Array.from(bytes)));
  for (const [name, content] of Object.entries(records)) zip.add(name, Buffer.from(content, 'latin1'));
  zip.finish();
  writeFileSync(file('archive.pt'), Buffer.concat(parts));
}

const text = (value: string): string => `X${String.fromCharCode(value.length, 0, 0, 0)}${value}`;

test('a pickle that would call os.system does nothing', () => {
  const canary = file('canary');
  archive({ 'x/data.pkl': `\x80\x02cos\nsystem\n(${text(`touch ${canary}`)}tR.` });
  const unread: Unread[] = [];
  expect(torch.load(file('archive.pt'), { onUnread: (list) => unread.push(...list) })).toMatchObject({
    className: 'os.system',
    args: [`touch ${canary}`],
  });
  expect(unread).toEqual([{ key: '', className: 'os.system' }]);
  expect(existsSync(canary)).toBe(false);
});

test('control characters of a hostile name do not reach the message', () => {
  archive({ 'x/data.pkl': `\x80\x02cos\nsys\x1b[2Jtem${'x'.repeat(10_000)}\n.` });
  const emit = jest.spyOn(process, 'emitWarning').mockImplementation();
  torch.load(file('archive.pt'));
  const [[message]] = emit.mock.calls;
  emit.mockRestore();
  expect(message).toContain('os.sys?[2Jtem');
  expect(message).toMatch(/^\P{Cc}{10,400}$/u);
});

describe('tensors that reach out of their record', () => {
  const tensor = (fields: {
    count?: number;
    offset?: number;
    size?: number;
    stride?: number;
    key?: string;
  }): string => {
    const { count = 2, offset = 0, size = 2, stride = 1, key = '0' } = fields;
    const elements = String.fromCharCode(count);
    const storage = `(${text('storage')}ctorch\nFloatStorage\n${text(key)}${text('cpu')}K${elements}tQ`;
    const [from, sizes, strides] = [offset, size, stride].map((value) => `K${String.fromCharCode(value)}`);
    return `\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(${storage}${from}${sizes}\x85${strides}\x85\x89}tR.`;
  };
  const withRecord = (fields: Parameters<typeof tensor>[0]): void =>
    archive({ 'x/data.pkl': tensor(fields), 'x/data/0': '\0\0\x80?\0\0\0@' });

  test('one that fits, for comparison', () => {
    withRecord({});
    expect((load(file('archive.pt')) as Tensor).toArray()).toEqual([1, 2]);
  });
  test.each([
    ['more elements than the record', { count: 3 }, 'has 8 bytes where its pickle says 12'],
    ['an offset past the end', { offset: 1 }, 'does not fit'],
    ['a stride past the end', { stride: 2 }, 'does not fit'],
    ['a size past the end', { size: 3 }, 'does not fit'],
    ['an offset of an empty tensor past the end', { size: 0, offset: 200 }, 'does not fit'],
    ['a missing record', { key: '1' }, 'x/data/1 is missing'],
    ['a record elsewhere', { key: '../data.pkl' }, 'x/data/../data.pkl is missing'],
  ])('%s', (_, fields, message) => {
    withRecord(fields);
    expect(refusal(file('archive.pt')).message).toContain(message);
  });
});

test('a record that does not lie at a multiple of its element size is copied', () => {
  save({ a: torch.tensor([1, 2, 3]), b: torch.tensor([4]) }, file());
  const aligned = readFileSync(file());
  writeFileSync(file('shifted.pt'), shiftedByOne(aligned));
  const back = load(file('shifted.pt')) as { a: Tensor; b: Tensor };
  expect([back.a.toArray(), back.b.toArray()]).toEqual([[1, 2, 3], [4]]);
});

/** The same zip with one more byte of padding in the first record's header. */
function shiftedByOne(zip: Buffer): Buffer {
  const padding = zip.indexOf('FB');
  const shifted = Buffer.concat([zip.subarray(0, padding + 4), Buffer.from('Z'), zip.subarray(padding + 4)]);
  shifted.writeUInt16LE(zip.readUInt16LE(28) + 1, 28);
  shifted.writeUInt16LE(zip.readUInt16LE(padding + 2) + 1, padding + 2);
  let directory = shifted.indexOf('PK\x01\x02');
  for (let first = true; directory >= 0; first = false) {
    if (!first) shifted.writeUInt32LE(shifted.readUInt32LE(directory + 42) + 1, directory + 42);
    directory = shifted.indexOf('PK\x01\x02', directory + 1);
  }
  const end64 = shifted.indexOf('PK\x06\x06');
  shifted.writeBigUInt64LE(shifted.readBigUInt64LE(end64 + 48) + 1n, end64 + 48);
  shifted.writeBigUInt64LE(shifted.readBigUInt64LE(end64 + 64) + 1n, end64 + 64);
  return shifted;
}

test('a checkpoint that is cut anywhere is refused', () => {
  save({ epoch: 1, w: torch.ones([4]) }, file());
  const whole = readFileSync(file());
  for (let size = 0; size < whole.length; size++) {
    writeFileSync(file('cut.pt'), whole.subarray(0, size));
    refusal(file('cut.pt'));
  }
});

test('a checkpoint with a wrong byte gives a value or a CleanclipError', () => {
  save({ epoch: 1, w: torch.ones([4]) }, file());
  const whole = readFileSync(file());
  // no checksum of data.pkl, so that its changes reach the tensors
  whole.writeUInt32LE(0, whole.indexOf('PK\x01\x02') + 16);
  for (let at = 0; at < whole.length; at += 3) {
    const changed = Buffer.from(whole);
    changed[at] ^= 1 << (at % 8);
    writeFileSync(file('changed.pt'), changed);
    try {
      load(file('changed.pt'));
    } catch (error) {
      expect(error).toBeInstanceOf(CleanclipError);
    }
  }
});
