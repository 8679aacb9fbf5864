import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { torch } from '../../../src/torch';

const folder = mkdtempSync(join(tmpdir(), 'cleanclip-metadata-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'x.safetensors');

test('keeps texts beside the tensors of a safetensors file', () => {
  const metadata = { format: 'pt', config: '{"é": 1}', __proto__x: '' };
  torch.save({ weight: torch.ones([2]) }, file, { metadata });
  expect(torch.loadMetadata(file)).toEqual(metadata);
  expect(Object.keys(torch.load(file) as object)).toEqual(['weight']);
});

test('finds none in files without them, or of another format', () => {
  torch.save({ weight: torch.ones([2]) }, file);
  expect(torch.loadMetadata(file)).toEqual({});
  torch.save({ weight: torch.ones([2]) }, join(folder, 'x.pt'));
  expect(torch.loadMetadata(join(folder, 'x.pt'))).toBeUndefined();
});

test('leaves out what is no text, and refuses what is no header', () => {
  const write = (header: string): void => {
    const bytes = Buffer.alloc(8 + header.length, header);
    bytes.writeBigUInt64LE(BigInt(header.length));
    bytes.write(header, 8);
    writeFileSync(file, bytes);
  };
  write('{"__metadata__": {"a": "1", "b": 2, "c": null}}');
  expect(torch.loadMetadata(file)).toEqual({ a: '1' });
  write('{"__metadata__": null}');
  expect(torch.loadMetadata(file)).toEqual({});
  write('{"__metadata__": {"a": ');
  expect(() => torch.loadMetadata(file)).toThrow(
    expect.objectContaining({ code: 'ERR_CHECKPOINT', message: expect.stringMatching(/its header is not valid JSON/) }),
  );
  expect(() => torch.loadMetadata(join(folder, 'nowhere'))).toThrow(
    expect.objectContaining({ code: 'ERR_CHECKPOINT' }),
  );
});
