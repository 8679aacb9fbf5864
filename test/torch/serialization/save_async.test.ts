import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os, { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type Tensor, torch } from '../../../src/torch';
import { OrderedDict } from '../../../src/torch/serialization';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'cleanclip-async-'))));
afterEach(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true });
});
const file = (name: string): string => join(folder, name);
const bytes = (name: string): string => readFileSync(file(name)).toString('base64');

/** Tensors of several dtypes and layouts, some large, some of one storage. */
function tensors(): Record<string, Tensor> {
  const large = torch.rand([1100, 1000]);
  return {
    large,
    row: large.select(0, 7),
    transposed: large.t(),
    half: torch.rand([3, 5]).to('bfloat16'),
    conjugate: torch.ops.aten.complex(torch.tensor([1]), torch.tensor([2])).conj(),
    none: torch.ones([0, 4]),
    whole: torch.tensor([1, 2]).to('int64'),
  };
}

test.each(['x.pt', 'x.safetensors'])('writes %s byte by byte as torch.save does', async (name) => {
  const state = tensors();
  const value = name === 'x.pt' ? { epoch: 3, state: new OrderedDict(Object.entries(state)) } : state;
  const options = name === 'x.pt' ? {} : { metadata: { format: 'pt' } };
  torch.save(value, file(name), options);
  await torch.saveAsync(value, file(`deeper/async.${name}`), options);
  expect(bytes(`deeper/async.${name}`) === bytes(name)).toBe(true);
  expect(readdirSync(file('deeper'))).toEqual([`async.${name}`]);
});

test('tensors that change after the call, or go, are in the file as they were', async () => {
  const { large, half } = tensors();
  torch.save({ large, half }, file('then.pt'));
  const saved = torch.saveAsync({ large, half }, file('now.pt'));
  torch.noGrad(() => large.fill_(7));
  half.dispose();
  await saved;
  expect(bytes('now.pt') === bytes('then.pt')).toBe(true);
});

test('several at once each write their file; of one path, one is there, whole', async () => {
  const states = Array.from({ length: 6 }, (_, i) => ({ w: torch.full([300_000], i) }));
  await Promise.all(states.map((state, i) => torch.saveAsync(state, file(`${i % 5}.pt`))));
  expect(readdirSync(folder).sort()).toEqual(['0.pt', '1.pt', '2.pt', '3.pt', '4.pt']);
  for (const i of [0, 1, 2, 3, 4]) {
    const { w } = torch.load(file(`${i}.pt`)) as { w: Tensor };
    expect(w.min().item()).toBe(w.max().item());
    expect(i === 0 ? [0, 5] : [i]).toContain(w.max().item());
  }
});

test('rejects a value or a folder as torch.save throws at it, and leaves nothing', async () => {
  await expect(torch.saveAsync({ f: () => 1 }, file('x.pt'))).rejects.toMatchObject({ code: 'ERR_OPTION' });
  expect(existsSync(file('x.pt'))).toBe(false);
  torch.save({}, file('folder'));
  const refused = (async: boolean): Promise<string> =>
    Promise.resolve()
      .then(() => torch[async ? 'saveAsync' : 'save']({ w: torch.ones([2]) }, file('folder/x.pt')))
      .then(String, ({ code, message }: { code: string; message: string }) => `${code}: ${message}`);
  expect(await refused(true)).toBe(await refused(false));
  expect(await refused(true)).toMatch(/^ERR_CHECKPOINT: '.*' cannot be written: /);
});

test('a folder in place of the file is refused, and no temporary file stays', async () => {
  torch.save({}, file('x.pt/y.pt'));
  await expect(torch.saveAsync({}, file('x.pt'))).rejects.toMatchObject({
    code: 'ERR_CHECKPOINT',
    message: expect.stringMatching(/cannot be written: .* \((EISDIR|ENOTEMPTY|EEXIST)\)/),
  });
  expect(readdirSync(folder)).toEqual(['x.pt']);
});

test('writes before it returns where memory has no room for a copy', async () => {
  const value = tensors();
  torch.save(value, file('x.pt'));
  jest.spyOn(os, 'freemem').mockReturnValue(1000);
  const saved = torch.saveAsync(value, file('y.pt'));
  expect(bytes('y.pt') === bytes('x.pt')).toBe(true);
  await saved;
});

test('a process that exits leaves a whole file', () => {
  const script =
    `const { torch } = require(${JSON.stringify(require.resolve('../../../src/torch'))});` +
    `void torch.saveAsync({ w: torch.full([3_000_000], 4) }, ${JSON.stringify(file('x.pt'))}); process.exit(3)`;
  expect(spawnSync(process.execPath, ['-e', script]).status).toBe(3);
  expect((torch.load(file('x.pt')) as { w: Tensor }).w.min().item()).toBe(4);
  expect(readdirSync(folder)).toEqual(['x.pt']);
});
