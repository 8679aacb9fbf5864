import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type Tensor, torch } from '../../../src/torch';
import { OrderedDict } from '../../../src/torch/python_values';
import { writePickle } from '../../../src/torch/serialization/pickle/writer';
import type { TensorRecord } from '../../../src/torch/serialization/tensor_record';
import { refusesEveryCut, survivesChangedBytes } from '../../support/mutations';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'cleanclip-legacy-'))));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (): string => join(folder, 'x.pt');

/** Stands for a tensor of float32 in the value that is pickled. */
class Stored {
  constructor(readonly record: TensorRecord) {}
}
const stored = (key: string, recordElements: number, offset: number, shape: number[], stride: number[]): Stored =>
  new Stored({ key, dtype: 'float32', recordBytes: 4 * recordElements, offset, shape, stride, requiresGrad: false });

const pickled = (value: unknown): Buffer =>
  writePickle(value, (object) => (object instanceof Stored ? object.record : undefined));
const storage = (elements: number[]): Buffer => {
  const count = Buffer.alloc(8);
  count.writeBigInt64LE(BigInt(elements.length));
  return Buffer.concat([count, Buffer.from(Float32Array.from(elements).buffer)]);
};

interface Parts {
  magic?: unknown;
  version?: unknown;
  machine?: unknown;
  value?: Buffer;
  keys?: unknown;
  storages?: Buffer[];
}

const value = {
  epoch: 3,
  state_dict: new OrderedDict([
    ['a', stored('77', 4, 0, [2, 2], [2, 1])],
    ['b', stored('77', 4, 1, [2], [2])],
    ['c', stored('5', 1, 0, [], [])],
  ]),
};

function legacyFile(parts: Parts = {}): Buffer {
  const {
    magic = 0x1950a86a20f9469cfc6cn,
    version = 1001,
    machine = { little_endian: true, protocol_version: 1001 },
  } = parts;
  const { value: body = pickled(value), keys = ['5', '77'], storages = [storage([8]), storage([1, 2, 3, 4])] } = parts;
  return Buffer.concat([...[magic, version, machine].map(pickled), body, pickled(keys), ...storages]);
}

const load = (bytes: Buffer): unknown => {
  writeFileSync(file(), bytes);
  return torch.load(file());
};

test('tensors of one storage share it, and the value comes back', () => {
  const {
    epoch,
    state_dict: { a, b, c },
  } = load(legacyFile()) as { epoch: number; state_dict: Record<string, Tensor> };
  expect([epoch, a.toArray(), b.toArray(), c.item()]).toEqual([
    3,
    [
      [1, 2],
      [3, 4],
    ],
    [2, 4],
    8,
  ]);
  a.fill_(9);
  expect(b.toArray()).toEqual([9, 9]);
});

const text = (content: string): string => `X${String.fromCharCode(content.length, 0, 0, 0)}${content}`;
/** A tensor of two elements as the first versions wrote it, of a storage that is a view from element 2. */
const view = (start: string): Buffer =>
  Buffer.from(
    `\x80\x02ctorch._utils\n_rebuild_tensor\n((${text('storage')}ctorch\nFloatStorage\n` +
      `${text('77')}${text('cuda:0')}K\x04` +
      `(${text('78')}${start}K\x02ttQK\x00K\x02\x85K\x01\x85tR.`,
    'latin1',
  );

test('a storage that is a view of another one, as the first versions wrote it', () => {
  const tensor = load(legacyFile({ value: view('K\x02'), keys: ['77'], storages: [storage([1, 2, 3, 4])] })) as Tensor;
  expect(tensor.toArray()).toEqual([3, 4]);
});

test.each([
  ['another magic number', { magic: 1 }, 'is a pickle, but torch.save did not write it'],
  ['another version', { version: 1000 }, 'protocol version 1000'],
  ['a big-endian machine', { machine: { little_endian: false } }, 'big-endian'],
  ['no machine', { machine: 3 }, 'does not say what machine'],
  ['keys that are no list', { keys: 3 }, 'does not list its storages'],
  ['a key that no tensor has', { keys: ['5', '77', '6'] }, 'no tensor uses'],
  ['a key twice', { keys: ['5', '5', '77'] }, 'or one twice'],
  ['a key that is missing', { keys: ['5'] }, 'its storage 77 is missing'],
  [
    'a storage of another size',
    { storages: [storage([8]), storage([1, 2, 3])] },
    'has 3 elements where its pickle says 4',
  ],
  ['a storage that is cut', { storages: [storage([8]), storage([1, 2, 3, 4]).subarray(0, 20)] }, 'is cut short'],
  ['a negative size', { storages: [storage([8]), Buffer.alloc(24, 0xff)] }, 'has -1 elements'],
  [
    'two sizes of one storage',
    { value: pickled([stored('5', 1, 0, [], []), stored('5', 2, 0, [], [])]) },
    'has two sizes',
  ],
  [
    'a tensor that reaches out of its storage',
    { value: pickled([stored('5', 1, 0, [2], [1]), stored('77', 4, 0, [], [])]) },
    'does not fit',
  ],
  [
    'a view that reaches out of its storage',
    { value: view('K\x03'), keys: ['77'], storages: [storage([1, 2, 3, 4])] },
    'does not fit',
  ],
  [
    'a text that is longer than the file',
    { value: Buffer.from('\x80\x02X\xff\xff\xff\x7fab', 'latin1') },
    'end in the middle of a value',
  ],
])('%s', (_, parts: Parts, message) => {
  expect(() => load(legacyFile(parts))).toThrow(
    expect.objectContaining({ code: 'ERR_CHECKPOINT', message: expect.stringContaining(message) }),
  );
});

test('nothing is called, in whichever of the pickles it stands', () => {
  const canary = join(folder, 'canary');
  const system = Buffer.from(`\x80\x02cos\nsystem\n${text(`touch ${canary}`)}\x85R.`, 'latin1');
  const before = [0x1950a86a20f9469cfc6cn, 1001, { little_endian: true }].map(pickled);
  for (let at = 0; at < before.length; at++) {
    expect(() => load(Buffer.concat([...before.slice(0, at), system]))).toThrow(/names os\.system/);
  }
  expect(() => load(Buffer.concat([...before, pickled(1), system]))).toThrow(/names os\.system/);
  const emit = jest.spyOn(process, 'emitWarning').mockImplementation();
  expect(load(legacyFile({ value: system, keys: [], storages: [] }))).toMatchObject({ className: 'os.system' });
  expect(emit).toHaveBeenCalledTimes(1);
  emit.mockRestore();
  expect(existsSync(canary)).toBe(false);
});

test('a module with its source code is refused', () => {
  const module = `\x80\x02(${text('module')}ccollections\nOrderedDict\n${text('x.py')}${text('import os')}tQ)\x81.`;
  expect(() => load(legacyFile({ value: Buffer.from(module, 'latin1') }))).toThrow(
    /refers to something that is not a storage/,
  );
});

test('a file that is cut anywhere is refused, and a changed byte gives a value or a sentence', () => {
  const whole = legacyFile();
  refusesEveryCut(file(), whole);
  expect(survivesChangedBytes(file(), whole, 2)).toBeGreaterThan(100);
});

test('refused files leave no tensors', () => {
  const before = torch.memory().tensors;
  expect(() =>
    load(legacyFile({ value: pickled([stored('77', 4, 0, [4], [1]), stored('5', 1, 0, [2], [1])]) })),
  ).toThrow(/does not fit/);
  expect(torch.memory().tensors).toBe(before);
});
