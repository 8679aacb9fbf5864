import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Tensor, torch } from '../../../src/torch';
import { PyObject, PyTuple, type Unread } from '../../../src/torch/serialization';
import { interpreter } from '../../parity/python';

const folder = mkdtempSync(join(tmpdir(), 'cleanclip-objects-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What Python wrote, beside a weight: in its zip format, and in the one from before torch 1.6. */
const script = `
import argparse, collections, dataclasses, datetime, enum, functools, pathlib, sys, types
import torch
try:
    import numpy as np
except ImportError:
    np = None
class Colour(enum.Enum): RED = 1
@dataclasses.dataclass
class Config: width: int = 3
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__(); self.layer = torch.nn.Linear(2, 1); self.me = [self]
loop = argparse.Namespace(a=1); loop.loop = [loop]
ran = sys.argv[1] + "/ran"
class Evil:
    def __reduce__(self): return (open, (ran, "w"))
values = dict(
    namespace=argparse.Namespace(lr=0.5, layers=[1, 2]), counter=collections.Counter("abca"),
    default=collections.defaultdict(list, a=[1]), deque=collections.deque([1, 2]), date=datetime.datetime(2024, 5, 1),
    path=pathlib.PurePosixPath("/data/x"), partial=functools.partial(max, 1), enum=Colour.RED, config=Config(),
    size=torch.Size([1, 2]), dtype=torch.float16, layout=torch.strided, version=torch.__version__, complex=1 + 2j,
    function=len, type=int, sparse=torch.eye(3).to_sparse(), csr=torch.eye(3).to_sparse_csr(),
    quantized=torch.quantize_per_tensor(torch.randn(3), 0.1, 0, torch.qint8), meta=torch.empty(3, device="meta"),
    fnuz=torch.ones(2).to(torch.float8_e4m3fnuz), float8=torch.ones(2).to(torch.float8_e5m2),
    storage=torch.arange(3.0).storage(), untyped=torch.arange(2, dtype=torch.int16).untyped_storage(),
    parameter=torch.nn.Parameter(torch.ones(2)), module=Net(),
    optimizer=torch.optim.SGD(torch.nn.Linear(2, 1).parameters(), lr=0.1),
    loop=loop, evil=Evil(), none=None)
if np is not None:
    values.update(
        array=np.arange(6.0).reshape(2, 3), column=np.asfortranarray(np.arange(6, dtype="int32").reshape(2, 3)),
        big=np.arange(3, dtype=">i2"), flags=np.array([True, False]), half=np.float16(0.5), text=np.str_("hé"),
        words=np.array(["a", "b"]), objects=np.array([{}, None], dtype=object), rng=np.random.RandomState(3),
        state=np.random.get_state(), scalar=np.float32(1.5), empty=np.zeros((0, 4), dtype="float32"))
weight = torch.arange(4.0)
def save(value, name, **options):
    torch.save({"weight": weight, "extra": value, "after": [weight]}, f"{sys.argv[1]}/{name}", **options)
for name, value in values.items():
    for kind in (True, False):
        try: save(value, f"{name}.{'pt' if kind else 'old'}", _use_new_zipfile_serialization=kind)
        except Exception as error: print(name, kind, error, file=sys.stderr)
for protocol in (3, 4, 5):
    save(values["namespace"], f"p{protocol}.pt", pickle_protocol=protocol)
    if np is not None: save(values["array"], f"a{protocol}.pt", pickle_protocol=protocol)
`;
beforeAll(
  () => void execFileSync(interpreter, ['-c', script, folder], { stdio: ['ignore', 'ignore', 'inherit'] }),
  120_000,
);

interface Loaded {
  extra: unknown;
  unread: readonly Unread[];
}

function load(name: string): Loaded {
  const unread: Unread[] = [];
  const value = torch.load(join(folder, name), { onUnread: (list) => unread.push(...list) }) as {
    weight: Tensor;
    extra: unknown;
    after: Tensor[];
  };
  expect(value.weight.toArray()).toEqual([0, 1, 2, 3]);
  expect(value.after[0]).toBe(value.weight);
  return { extra: value.extra, unread };
}

const inert: [name: string, className: string][] = [
  ['namespace', 'argparse.Namespace'],
  ['date', 'datetime.datetime'],
  ['path', 'pathlib.PurePosixPath'],
  ['partial', 'functools.partial'],
  ['enum', '__main__.Colour'],
  ['config', '__main__.Config'],
  ['complex', 'builtins.complex'],
  ['function', 'builtins.len'],
  ['type', 'builtins.long'],
  ['sparse', 'torch.Tensor (sparse)'],
  ['csr', 'torch.Tensor (sparse)'],
  ['quantized', 'torch.Tensor (quantized)'],
  ['meta', 'torch.Tensor (meta)'],
  ['fnuz', 'torch.Tensor (torch.float8_e4m3fnuz)'],
  ['module', '__main__.Net'],
  ['optimizer', 'torch.optim.sgd.SGD'],
  ['loop', 'argparse.Namespace'],
  ['evil', 'io.open'],
  ['words', 'numpy.ndarray'],
  ['objects', 'numpy.ndarray'],
];

describe.each(['pt', 'old'])('beside weights in a .%s file', (kind) => {
  test.each(inert)('%s is a record, and told of', (name, className) => {
    if (!existsSync(join(folder, `${name}.${kind}`))) throw new Error(`Python could not save ${name}.`);
    const { extra, unread } = load(`${name}.${kind}`);
    expect(extra).toBeInstanceOf(PyObject);
    expect(extra).toMatchObject({ className });
    expect(unread).toEqual([{ key: 'extra', className }]);
    expect(existsSync(join(folder, 'ran'))).toBe(false);
  });

  const tensors: [name: string, dtype: string, values: unknown][] = [
    ['float8', 'float8_e5m2', [1, 1]],
    ['storage', 'float32', [0, 1, 2]],
    ['untyped', 'uint8', [0, 0, 1, 0]],
    ['parameter', 'float32', [1, 1]],
    [
      'array',
      'float64',
      [
        [0, 1, 2],
        [3, 4, 5],
      ],
    ],
    [
      'column',
      'int32',
      [
        [0, 1, 2],
        [3, 4, 5],
      ],
    ],
    ['big', 'int16', [0, 1, 2]],
    ['flags', 'bool', [true, false]],
    ['empty', 'float32', []],
  ];
  test.each(tensors)('%s is a tensor of %s', (name, dtype, values) => {
    const { extra, unread } = load(`${name}.${kind}`);
    expect(extra).toBeInstanceOf(Tensor);
    expect((extra as Tensor).dtype).toBe(dtype);
    const plain = dtype.startsWith('float8') ? (extra as Tensor).to({ dtype: 'float32' }) : (extra as Tensor);
    expect(plain.toArray()).toEqual(values);
    expect(unread).toEqual([]);
  });

  const plain: [name: string, value: unknown][] = [
    ['counter', { a: 2, b: 1, c: 1 }],
    ['default', { a: [1] }],
    ['deque', [1, 2]],
    ['size', PyTuple.of(1, 2)],
    ['dtype', 'float16'],
    ['layout', 'strided'],
    ['none', null],
    ['half', 0.5],
    ['scalar', 1.5],
    ['text', 'hé'],
  ];
  test.each(plain)('%s is a plain value', (name, value) => {
    expect(load(`${name}.${kind}`)).toEqual({ extra: value, unread: [] });
  });

  test("a version is a text, numpy's state a tuple with a tensor", () => {
    expect(load(`version.${kind}`).extra).toMatch(/^2\./);
    const [algorithm, keys, position] = load(`state.${kind}`).extra as PyTuple;
    expect([algorithm, (keys as Tensor).shape, typeof position]).toEqual(['MT19937', [624], 'number']);
    expect(load(`rng.${kind}`).unread).toHaveLength(1);
  });
});

test('a record tells what the pickle says', () => {
  const { extra } = load('namespace.pt');
  expect(extra).toMatchObject({ args: [], state: { lr: 0.5, layers: [1, 2] } });
  const { loop } = (load('loop.pt').extra as PyObject).state as { loop: PyObject[] };
  expect(loop[0].state).toMatchObject({ a: 1, loop });
  const { state } = load('module.pt').extra as PyObject;
  const { _modules } = state as { _modules: Record<string, PyObject> };
  expect(_modules.layer.state).toMatchObject({ _parameters: { weight: expect.any(Tensor), bias: expect.any(Tensor) } });
});

test.each([3, 4, 5])('protocol %i', (protocol) => {
  expect(load(`p${protocol}.pt`).extra).toMatchObject({ className: 'argparse.Namespace', state: { lr: 0.5 } });
  expect((load(`a${protocol}.pt`).extra as Tensor).toArray()).toEqual([
    [0, 1, 2],
    [3, 4, 5],
  ]);
});

test('without a listener, a warning names classes and keys', () => {
  const emit = jest.spyOn(process, 'emitWarning').mockImplementation();
  torch.load(join(folder, 'namespace.pt'));
  expect(emit.mock.calls).toEqual([
    [
      expect.stringMatching(/left unread: argparse\.Namespace at 'extra'\.$/),
      { type: 'CleanclipWarning', code: 'CLEANCLIP_UNREAD' },
    ],
  ]);
  emit.mockRestore();
});

test('a record cannot be saved', () => {
  const { extra } = load('namespace.pt');
  expect(() => torch.save({ args: extra }, join(folder, 'again.pt'))).toThrow(
    expect.objectContaining({
      code: 'ERR_OPTION',
      message: expect.stringContaining('at args is a PyObject of argparse.Namespace'),
    }),
  );
});
