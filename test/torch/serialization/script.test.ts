import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';

import { type Tensor, torch } from '../../../src/torch';
import { ZipWriter } from '../../../src/torch/serialization/zip/writer';
import { refusesEveryCut, survivesChangedBytes } from '../../support/mutations';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'cleanclip-script-'))));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (): string => join(folder, 'x.pt');

// The pickle of a module as torch.jit.save writes it, spelled by hand.
const text = (value: string): string => `X${String.fromCharCode(value.length, 0, 0, 0)}${value}`;
const tensor = (key: string): string =>
  `ctorch._utils\n_rebuild_tensor_v2\n((${text('storage')}ctorch\nHalfStorage\n${text(key)}${text('cuda:0')}K\x02tQ` +
  'K\x00K\x02\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtR';
const object = (className: string, attributes: Record<string, string>): string => {
  const dot = className.lastIndexOf('.');
  const state = Object.entries(attributes)
    .map(([name, value]) => text(name) + value)
    .join('');
  return `c${className.slice(0, dot)}\n${className.slice(dot + 1)}\n)\x81}(${state}ub`;
};
const TRUE = '\x88';
const intList = `ctorch.jit._pickle\nbuild_intlist\n](K\x01K\x02e\x85R`;

const source = `class Clip(Module):
  __parameters__ = ["proj", ]
  __buffers__ = ["steps", ]
  proj : Tensor
  mask : Tensor
  def forward(self: __torch__.m.Clip) -> Tensor:
    return torch.load("/etc/passwd")
class Sizes(NamedTuple):
  side : Tensor
`;
const layerSource = `class Layer(Module):
  __parameters__ = ["weight", ]
  training : bool
`;
const clip = object('__torch__.m.Clip', {
  proj: tensor('0'),
  steps: tensor('1'),
  mask: tensor('0'),
  training: TRUE,
  sizes: intList,
  side: object('__torch__.m.Sizes', { side: tensor('0') }),
  '-1': object('__torch__.m.___torch_mangle_7.Layer', { weight: tensor('1'), old_buffer: tensor('0') }),
});

interface Parts {
  pickle?: string;
  sources?: Record<string, string>;
}

function archive({ pickle = clip, sources = {} }: Parts = {}): Buffer {
  const parts: Uint8Array[] = [];
  const zip = new ZipWriter((bytes) => parts.push(Uint8Array.from(bytes)));
  const records = {
    'data.pkl': `\x80\x02${pickle}.`,
    'constants.pkl': '\x80\x02).',
    'data/0': '\x00\x3c\x00\x40', // 1, 2
    'data/1': '\x00\x42\x00\x44', // 3, 4
    ...{ 'code/__torch__/m.py': source, 'code/__torch__/m/___torch_mangle_7.py': layerSource, ...sources },
  };
  for (const [name, content] of Object.entries(records)) zip.add(`x/${name}`, Buffer.from(content, 'latin1'));
  zip.finish();
  return Buffer.concat(parts);
}

/** An archive whose sources of the class Clip are deflated, with a size and checksum that may be wrong. */
function deflated(size = source.length): Buffer {
  const zip = archive({ sources: { 'code/__torch__/m.py': deflateRawSync(source).toString('latin1') } });
  let at = zip.lastIndexOf('PK\x01\x02');
  while (
    !zip
      .subarray(at + 46)
      .toString('latin1')
      .startsWith('x/code/__torch__/m.py')
  )
    at = zip.lastIndexOf('PK\x01\x02', at - 1);
  zip.writeUInt16LE(8, at + 10);
  zip.writeUInt32LE(0, at + 16); // no checksum
  zip.writeUInt32LE(size, at + 24);
  return zip;
}

const load = (bytes: Buffer): Record<string, Tensor> => {
  writeFileSync(file(), bytes);
  return torch.load(file()) as Record<string, Tensor>;
};
const values = (stateDict: Record<string, Tensor>): unknown =>
  Object.fromEntries(Object.entries(stateDict).map(([name, t]) => [name, t.toArray()]));

/** Parameters and buffers; neither the plain attribute `mask` nor what belongs to a tuple. */
const expected = { proj: [1, 2], steps: [3, 4], '-1.weight': [3, 4], '-1.old_buffer': [1, 2] };

test('the state dict of an archive: parameters and buffers by dotted names, in their dtype', () => {
  const stateDict = load(archive());
  expect(values(stateDict)).toEqual(expected);
  expect(stateDict.proj.dtype).toBe('float16');
});

test('sources may be compressed', () => expect(values(load(deflated()))).toEqual(expected));

test('tensors that are not in the state dict are freed', () => {
  const before = torch.memory().tensors;
  const stateDict = load(archive());
  expect(torch.memory().tensors).toBe(before + 4);
  Object.values(stateDict).forEach((t) => t.dispose());
});

/** Modules in modules: each has its child twice. */
const doubling = (depth: number): string => {
  let nested = object('__torch__.m.___torch_mangle_7.Layer', { weight: tensor('0') });
  for (let i = 0; i < depth; i++)
    nested = object('__torch__.m.___torch_mangle_7.Layer', {
      a: `${nested}q${String.fromCharCode(i)}`,
      b: `h${String.fromCharCode(i)}`,
    });
  return nested;
};
const deep = (depth: number): string => {
  const [open, close] = object('__torch__.m.___torch_mangle_7.Layer', { a: '|' }).split('|');
  return open.repeat(depth) + TRUE + close.repeat(depth);
};

test.each<[string, Buffer, string]>([
  ['no module', archive({ pickle: 'K\x01' }), 'without a module'],
  ['a class of Python', archive({ pickle: `ctorch.nn\nLinear\n)\x81` }), 'names torch.nn.Linear'],
  ['os.system', archive({ pickle: `cos\nsystem\n${text('touch /tmp/owned')}\x85R` }), 'names os.system'],
  [
    'a function of the pickle module that is not known',
    archive({ pickle: `ctorch.jit._pickle\nbuild_tensor_from_id\nK\x01\x85R` }),
    'names torch.jit._pickle.build_tensor_from_id',
  ],
  [
    'a class without its source',
    archive({ pickle: object('__torch__.other.Clip', {}) }),
    'lacks the source of __torch__.other.Clip',
  ],
  ['modules that double a hundred times', archive({ pickle: doubling(100) }), 'makes more values than its size allows'],
  ['modules 2,000 deep', archive({ pickle: deep(2000) }), 'nests modules more than 500 deep'],
  [
    'a module that contains itself',
    archive({ pickle: 'c__torch__.m.___torch_mangle_7\nLayer\n)\x81q\x00}' + `${text('self')}h\x00sb` }),
    'makes more values',
  ],
  [
    'an attribute without a name',
    archive({ pickle: 'c__torch__.m\nClip\n)\x81}K\x01K\x02sb' }),
    'an attribute without a name',
  ],
  ['a missing storage', archive({ pickle: object('__torch__.m.Clip', { proj: tensor('9') }) }), 'x/data/9 is missing'],
  ['source that is larger than its size', deflated(10), 'cannot be decompressed'],
  ['source of a terabyte', deflated(0xfffffff0), 'makes more values than its size allows'],
])('%s', (_, bytes, message) => {
  expect(() => load(bytes)).toThrow(
    expect.objectContaining({ code: 'ERR_CHECKPOINT', message: expect.stringContaining(message) }),
  );
  expect(existsSync('/tmp/owned')).toBe(false);
});

test('an archive that is cut anywhere is refused, and a changed byte gives a value or a sentence', () => {
  const whole = deflated();
  refusesEveryCut(file(), whole, 3);
  const noChecksums = Buffer.from(whole);
  for (let at = whole.indexOf('PK\x01\x02'); at >= 0; at = whole.indexOf('PK\x01\x02', at + 1))
    noChecksums.writeUInt32LE(0, at + 16);
  expect(survivesChangedBytes(file(), noChecksums, 3)).toBeGreaterThan(300);
});
