import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { loadClip } from '../../src/clip/model';
import { type Tensor, torch } from '../../src/torch';
import { miniModel } from '../support/pairs';

const folder = mkdtempSync(join(tmpdir(), 'cleanclip-weights-'));
afterAll(() => rmSync(folder, { recursive: true }));

const saved = (value: unknown, name = 'x.pt'): string => {
  const path = join(folder, name);
  torch.save(value, path);
  return path;
};
const stateDict = (): Record<string, Tensor> => loadClip(miniModel, { seed: 1 }).stateDict();
const refusal = (message: RegExp): Error =>
  expect.objectContaining({ code: 'ERR_CHECKPOINT', message: expect.stringMatching(message) }) as Error;

test.each<[string, unknown]>([
  ['null', null],
  ['a number', 3],
  ['a list', [torch.ones([1])]],
  ['a dict without tensors', { epoch: 1 }],
  ['a state dict that is none', { state_dict: 'x' }],
])('%s is no checkpoint', (_, value) => {
  const path = saved(value);
  const message = /(holds no state dict of a model; give a checkpoint|is not the state dict of a CLIP)/;
  expect(() => loadClip(path)).toThrow(refusal(message));
});

test('names beside the tensors that are none are listed, and nothing else goes wrong', () => {
  const path = saved({ ...stateDict(), nothing: null, 'a text': 'x', logit_scale: 3 });
  expect(() => loadClip(path)).toThrow(
    refusal(/logit_scale is not a tensor; nothing is unexpected; a text is unexpected\./),
  );
});

test.each(['x.pt', 'x.safetensors'])(
  'missing, unexpected and ill-shaped tensors are listed with both shapes: %s',
  (name) => {
    const rest = stateDict();
    delete rest.logit_scale;
    const path = saved({ ...rest, 'module.extra': torch.ones([2, 3]), 'visual.bn1.bias': torch.ones([5]) }, name);
    const misfits = [
      'logit_scale \\[\\] is missing',
      "visual.bn1.bias is \\[5\\], and the model's is \\[4\\]",
      'extra \\[2, 3\\] is unexpected',
    ];
    expect(() => loadClip(path)).toThrow(refusal(new RegExp(`does not fit the model: ${misfits.join('; ')}\\.`)));
  },
);

test('a small file cannot ask for a model that fills the memory', () => {
  const path = saved({ ...stateDict(), 'token_embedding.weight': torch.ones([1]).expand([2 ** 40, 32]) });
  expect(() => loadClip(path)).toThrow(
    refusal(/has \d+ bytes for \d+ weights; save a state dict whose tensors do not repeat/),
  );
});

test('every dtype is converted to float32', () => {
  for (const dtype of ['float16', 'bfloat16', 'float64'] as const) {
    const dict = Object.entries(stateDict()).map(([name, tensor]) => [
      name,
      tensor.dtype === 'float32' ? tensor.to(dtype) : tensor,
    ]);
    const path = saved(Object.fromEntries(dict));
    using clip = loadClip(path);
    expect(clip.namedParameters().every(([, tensor]) => tensor.dtype === 'float32')).toBe(true);
    expect(clip.logitScale.item()).toBeCloseTo(Math.log(1 / 0.07), 2);
  }
});
