import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { loadClip } from '../../src/clip/model';
import { type DType, type Tensor, torch } from '../../src/torch';
import {
  IntDict,
  load,
  OrderedDict,
  PyFloat,
  PyObject,
  PyTuple,
  save,
  type Unread,
} from '../../src/torch/serialization';
import { python } from './python';

const folder = mkdtempSync(join(tmpdir(), 'cleanclip-checkpoint-'));
const file = join(folder, 'x.pt');
afterAll(() => rmSync(folder, { recursive: true }));
jest.setTimeout(60_000);

const inPython = (job: string, ...given: unknown[]): unknown => python('checkpoint.py', { job, arguments: given });

/** The value with all its types, as checkpoint.py spells it. */
function spelled(value: unknown): unknown {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'bigint' || (Number.isSafeInteger(value) && !Object.is(value, -0)))
    return { int: String(value) };
  if (typeof value === 'number') return { float: float64(value) };
  if (value instanceof PyFloat) return { float: float64(value.value) };
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('hex') };
  if (value instanceof torch.Tensor) {
    const bytes = value.detach().resolve_conj().resolve_neg().contiguous().bytes();
    const { dtype, shape, strides, requiresGrad } = value;
    return {
      tensor: dtype,
      shape,
      stride: strides,
      requires_grad: requiresGrad,
      bytes: Buffer.from(bytes).toString('hex'),
    };
  }
  if (value instanceof PyTuple) return { tuple: Array.from(value, spelled) };
  if (Array.isArray(value)) return { list: value.map(spelled) };
  if (value instanceof Set) return { set: Array.from(value, spelled) };
  if (value instanceof Map) return { dict: Array.from(value, ([key, item]) => [spelled(key), spelled(item)]) };
  const key = (name: string): unknown => (value instanceof IntDict ? { int: name } : name);
  const entries = Object.entries(value as object).map(([name, item]) => [key(name), spelled(item)]);
  return value instanceof OrderedDict ? { OrderedDict: entries } : { dict: entries };
}

function float64(value: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes.toString('hex');
}

/** With dicts' entries sorted: JavaScript puts keys that look like integers first. */
const unordered = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (key, item: unknown) =>
    key === 'dict' ? (item as unknown[]).map((entry) => JSON.stringify(entry)).sort() : item,
  );

describe('what Python wrote is read as it was', () => {
  test.each([2, 5])('plain values, protocol %i', (protocol) => {
    const expected = inPython('write', file, 'plain', protocol);
    expect(unordered(spelled(load(file)))).toEqual(unordered(expected));
  });

  test.each([2, 4])('tensors, protocol %i', (protocol) => {
    const expected = inPython('write', file, 'tensors', protocol);
    const value = load(file) as Record<string, object>;
    expect(spelled(value)).toEqual(expected);
    expect(value.tied).toBe(value.parameter);
  });

  test('without checksums', () => {
    const expected = inPython('write', file, 'tensors', 2, false);
    expect(spelled(load(file))).toEqual(expected);
  });

  test('sizes, dtypes, devices, numpy scalars', () => {
    inPython('write_rarities', file);
    expect(load(file)).toStrictEqual({
      size: PyTuple.of(2, 3),
      dtype: 'bfloat16',
      device: 'cuda:1',
      numpy: [0.25, 1.5, -3, true, 2.5],
      frozenset: new Set([1]),
      bytearray: Uint8Array.from([97, 98]),
      mixed: new Map<unknown, unknown>([
        [1, 'a'],
        ['b', 2],
        [null, 3],
      ]),
    });
  });

  test.each([2, 4])('the older format, protocol %i', (protocol) => {
    const expected = inPython('write_legacy', file, protocol);
    const value = load(file) as Record<string, object>;
    expect(spelled(value)).toEqual(expected);
    expect(value.tied).toBe(value.parameter);
    (value.wide as Tensor).fill_(9);
    expect((value.part as Tensor).toArray()).toEqual([
      [9, 9, 9],
      [9, 9, 9],
    ]);
  });

  test('the state dict of a TorchScript archive', () => {
    const expected = inPython('write_script', file);
    const stateDict = load(file) as Record<string, Tensor>;
    expect(
      Object.keys(stateDict)
        .sort()
        .map((name) => [name, spelled(stateDict[name].detach())]),
    ).toEqual(expected);
    expect(stateDict['first.weight']).toBe(stateDict['layers.0.weight']);
  });

  test('a whole module is an inert record with its weights, and no CLIP', () => {
    inPython('write_module', folder);
    const path = join(folder, 'module.pt');
    const unread: Unread[] = [];
    const module = load(path, { onUnread: (list) => unread.push(...list) }) as PyObject & {
      state: { _parameters: Record<string, Tensor> };
    };
    expect(module).toBeInstanceOf(PyObject);
    expect(unread).toEqual([{ key: '', className: 'torch.nn.modules.linear.Linear' }]);
    expect(module.state._parameters.weight.shape).toEqual([3, 2]);
    expect(() => loadClip(path)).toThrow(
      expect.objectContaining({
        code: 'ERR_CHECKPOINT',
        message: expect.stringContaining('not the state dict of a CLIP') as string,
      }),
    );
  });
});

describe('what is written here opens in Python with weights_only=True', () => {
  test('plain values', () => {
    const value = {
      ints: [0, 255, 256, 65535, 65536, -1, 2 ** 31, -(2 ** 31) - 1, 2n ** 53n + 1n, -(2n ** 100n), 2n ** 2000n],
      floats: [0.5, -1e300, 2 ** 60, Infinity, NaN, -0, new PyFloat(3)],
      texts: ['', 'ärger 漢字 🐈', 'a\nb\0c', 'x'.repeat(300)],
      tuple: PyTuple.of<unknown>(1, PyTuple.of<unknown>(2.5, new PyTuple()), null, true),
      dict: { a: {}, constructor: 1 },
      ordered: new OrderedDict([
        ['z', 1],
        ['a', new OrderedDict()],
      ]),
      bytes: Uint8Array.from([0, 255]),
      noBytes: new Uint8Array(),
      intKeys: new IntDict([
        [7, 'b'],
        [-1, 'c'],
      ]),
      map: new Map<unknown, unknown>([
        [0, 1],
        ['x', 2],
        [null, 3],
        [1.5, 4],
      ]),
      set: new Set([3]),
      many: Array.from({ length: 300 }, (_, i) => `name ${i}`),
    };
    save(value, file);
    expect(inPython('read', file)).toEqual(spelled(value));
  });

  test('tensors', () => {
    const wide = torch.arange(24).to('float32').view([4, 6]);
    const dtypes =
      'float64 float32 float16 bfloat16 int64 int32 int16 int8 uint8 bool complex64 complex128 complex32 uint16 ' +
      'uint32 uint64 float8_e4m3fn float8_e5m2';
    const value = {
      ...Object.fromEntries(dtypes.split(' ').map((dtype) => [dtype, torch.tensor([[1, 0, 1]]).to(dtype as DType)])),
      scalar: torch.tensor(2.5),
      empty: torch.empty([0, 3]),
      transposed: wide.t(),
      part: wide.slice(0, 1, 3).slice(1, 0, 6, 2),
      expanded: torch.tensor([1.5]).expand([3]),
      parameter: torch.randn([2, 3], { requiresGrad: true }),
      large: torch.randn([300_000]),
    };
    save(value, file);
    expect(inPython('read', file)).toEqual(spelled(value));
  });

  test('what was loaded is saved again without loss', () => {
    const expected = inPython('write', file, 'tensors');
    save(load(file), file);
    expect(inPython('read', file)).toEqual(expected);
  });
});

test('training goes on in Python from a checkpoint that passed through here', () => {
  const expected = inPython('checkpoint', file);
  const stored = load(file) as { epoch: number; name: string; state_dict: object; optimizer: object };
  expect(stored).toMatchObject({
    epoch: 1,
    name: 'one',
    optimizer: { param_groups: [{ lr: 5e-4, betas: [0.9, 0.98] }, { weight_decay: 0.1 }] },
  });
  save(stored, file);
  expect(inPython('resumed', file)).toEqual(expected);
});
