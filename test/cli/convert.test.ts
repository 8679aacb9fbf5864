import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { loadClip } from '../../src/clip/model';
import { torch } from '../../src/torch';
import { tinyViT } from '../parity/models';
import { command } from '../support/command';

const folder = mkdtempSync(join(tmpdir(), 'cleanclip-convert-'));
afterAll(() => rmSync(folder, { recursive: true }));
beforeAll(() => {
  using clip = loadClip(tinyViT);
  torch.save({ state_dict: clip.stateDict(), config: clip.config }, join(folder, 'clip.pt'));
});

const convert = (...args: string[]): ReturnType<typeof command>['ended'] =>
  command('cleanclip', ['convert', ...args], folder).ended;

test('writes a folder and tells its files', async () => {
  const { code, stdout, stderr } = await convert('clip.pt', 'made/onnx', '--to', 'onnx', '--dtype=fp16');
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toBe(`${join(folder, 'made/onnx')} is written: image.onnx, text.onnx\n`);
});

test.each([
  [['clip.pt', 'out'], /^cleanclip convert: convert needs to; see cleanclip convert --help\.$/m],
  [
    ['clip.pt', 'out', '--to', 'tflite'],
    /^cleanclip convert: --to must be one of openai, open_clip, hf, safetensors, onnx, but is 'tflite'\.$/m,
  ],
  [['clip.pt', 'clip.pt', '--to', 'openai'], /^cleanclip convert: 'clip\.pt' is there already/],
  [['clip.pt', 'out', '--to', 'hf', '--dtyp', 'fp16'], /There is no option --dtyp; did you mean --dtype\?/],
  [['nowhere.pt', 'out', '--to', 'hf'], /^cleanclip convert: .*nowhere\.pt/],
  [['clip.pt'], /missing required argument 'out'/],
])('refuses %p with a sentence', async (args, message) => {
  const { code, stderr } = await convert(...args);
  expect(code).toBe(1);
  expect(stderr).toMatch(message);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(existsSync(join(folder, 'out'))).toBe(false);
});
