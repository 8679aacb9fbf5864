import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type ClipConfig } from '../../src/clip/config';
import { loadClip } from '../../src/clip/model';
import { type Tensor, torch } from '../../src/torch';
import { OrderedDict } from '../../src/torch/serialization';
import { miniModel } from '../support/pairs';

// The forms in which training codes leave a model's tensors: each loads to the same weights, to the bit.
const folder = mkdtempSync(join(tmpdir(), 'cleanclip-state-dict-'));
afterAll(() => rmSync(folder, { recursive: true }));
jest.spyOn(process, 'emitWarning').mockImplementation();

type Dict = Record<string, Tensor>;
const small: ClipConfig = { ...miniModel, vocabularySize: 500 };
const resnet = loadClip(small, { seed: 1 });
const vit = loadClip(
  { ...small, visionLayers: 1, visionWidth: 64, visionPatchSize: 16, textWidth: 64, textHeads: 1 } satisfies ClipConfig,
  { seed: 1 },
);
const dict: Dict = resnet.stateDict();
let files = 0;

function loaded(content: unknown): Dict {
  const path = join(folder, `${files++}.pt`);
  torch.save(content, path);
  const found = loadClip(path).stateDict();
  rmSync(path);
  return found;
}

function expectSame(content: unknown, right: Dict = dict): void {
  const found = loaded(content);
  expect(Object.keys(found)).toEqual(Object.keys(right));
  for (const [name, tensor] of Object.entries(right))
    expect([name, torch.equal(found[name], tensor)]).toEqual([name, true]);
}

const renamed = (rename: (name: string, i: number) => string, from: Dict = dict): Dict =>
  Object.fromEntries(Object.entries(from).map(([name, tensor], i) => [rename(name, i), tensor]));
const without = (...names: string[]): Dict =>
  Object.fromEntries(Object.entries(dict).filter(([name]) => !names.includes(name)));

const prefixes = [
  'module.',
  '_orig_mod.',
  'model.',
  'clip.',
  'clip_model.',
  'net.',
  'student.',
  'backbone.',
  'module._orig_mod.',
  '_orig_mod.module.',
  'module.module.',
  'model.module.',
  'module.model.',
  'clip.module.',
  'module.clip.',
  '_orig_mod.model.clip.',
  'model._orig_mod.module.',
  '_fsdp_wrapped_module.',
  'module._checkpoint_wrapped_module.',
  'module.student.',
];
test.each(prefixes)('names behind %s', (prefix) => {
  expectSame(renamed((name) => prefix + name));
  expectSame({ state_dict: renamed((name) => prefix + name, vit.stateDict()) }, vit.stateDict());
});

test('wrappers in the middle of names, and before some of them alone', () => {
  expectSame(renamed((name) => name.replace('transformer.', 'transformer._orig_mod.')));
  expectSame(renamed((name) => name.replace('visual.', 'visual._fsdp_wrapped_module.')));
  expectSame(renamed((name, i) => (i % 2 ? `module.${name}` : name)));
});

test("CustomTextCLIP's names", () => {
  const text = /^(transformer|token_embedding|positional_embedding|ln_final|text_projection)/;
  expectSame(renamed((name) => (text.test(name) ? `text.${name}` : name)));
  expectSame(renamed((name) => `module.${text.test(name) ? `text.${name}` : name}`));
});

test('two tensors of one name are refused', () => {
  expect(() => loaded({ ...dict, 'module.logit_scale': dict.logit_scale })).toThrow(
    expect.objectContaining({
      code: 'ERR_CHECKPOINT',
      message: expect.stringMatching(
        /more than one tensor that is the model's logit_scale; save the state dict of one model alone/,
      ),
    }),
  );
});

const containers = [
  'state_dict',
  'model_state_dict',
  'model',
  'model_state',
  'module',
  'net',
  'clip',
  'weights',
  'state_dict_ema',
  'model_ema',
  'ema',
];
test.each(containers)('under the key %s', (key) => {
  expectSame({ epoch: 3, [key]: dict });
  expectSame({ [key]: new OrderedDict(Object.entries(dict)), optimizer: null, args: { lr: 1 } });
  expectSame({ checkpoint: 1, [key]: { state_dict: renamed((name) => `module.${name}`) } });
});

test('weights come before their moving average', () => {
  expectSame({ state_dict_ema: { ...dict, logit_scale: torch.tensor(1) }, model: dict });
});

test('buffers and counts that follow from the sizes are left out', () => {
  const mask = torch.zeros([77, 77]);
  const count = torch.zeros([1], { dtype: 'float64' });
  const ids = torch.arange(77).unsqueeze(0);
  const extra = {
    attn_mask: mask,
    'text.attn_mask': mask,
    total_ops: count,
    total_params: count,
    'visual.total_ops': count,
    'visual.layer1.0.conv1.total_params': count,
    'transformer.resblocks.0.total_ops': count,
    'text_model.embeddings.position_ids': ids,
    position_ids: ids,
  };
  for (const [name, tensor] of Object.entries(extra)) {
    if (name.startsWith('text_model.')) continue; // of transformers' names, which go together
    expectSame({ ...dict, [name]: tensor });
    expectSame(renamed((key) => `module.${key}`, { ...dict, [name]: tensor }));
  }
  expectSame({ ...dict, attn_mask: mask, total_ops: count, 'visual.total_ops': count });
});

test('scalars of [1], and counters of [1] or of floats', () => {
  const counters = Object.keys(dict).filter((name) => name.endsWith('num_batches_tracked'));
  expect(counters.length).toBeGreaterThan(5);
  const tracked: Dict = {
    ...dict,
    ...Object.fromEntries(counters.map((name, i) => [name, torch.tensor(BigInt(i + 1), { dtype: 'int64' })])),
  };
  expectSame(tracked, tracked);
  expectSame(
    { ...tracked, ...Object.fromEntries(counters.map((name) => [name, tracked[name].reshape([1])])) },
    tracked,
  );
  expectSame(
    { ...tracked, ...Object.fromEntries(counters.map((name) => [name, tracked[name].to('float32')])) },
    tracked,
  );
  expectSame({ ...dict, logit_scale: dict.logit_scale.reshape([1]) });
  expect(() => loaded({ ...dict, logit_scale: torch.ones([2]) })).toThrow(
    /logit_scale is \[2\], and the model's is \[\]/,
  );
  expect(() => loaded({ ...dict, logit_scale: torch.ones([1, 1]) })).toThrow(/logit_scale is \[1, 1\]/);
});

test('counters that are missing are 0, and nothing else may be missing', () => {
  const counters = Object.keys(dict).filter((name) => name.endsWith('num_batches_tracked'));
  expectSame(without(...counters));
  expectSame(without(counters[0]));
  expect(() => loaded(without('visual.bn1.running_mean'))).toThrow(/visual\.bn1\.running_mean \[4\] is missing/);
  const fresh = loadClip(small, { seed: 2 });
  fresh.stateDict()[counters[0]].fill_(7);
  fresh.loadStateDict(without(...counters));
  expect(fresh.stateDict()[counters[0]].item()).toBe(0);
});

test('a projection stored as a linear layer', () => {
  const { text_projection: projection, ...rest } = vit.stateDict();
  const { 'visual.proj': visual, ...others } = rest;
  expectSame({ ...rest, 'text_projection.weight': projection.t().contiguous() }, vit.stateDict());
  expectSame(
    { ...others, 'text_projection.weight': projection.t(), 'visual.proj.weight': visual.t().contiguous() },
    vit.stateDict(),
  );
});

/** What `torch.load` makes of a `torch.nn.Module` with this state dict. */
function moduleOf(entries: [string[], Tensor][]): object {
  const own = entries.filter(([path]) => path.length === 1).map(([[name], tensor]) => [name, tensor] as const);
  const inner = [...new Set(entries.flatMap(([path]) => (path.length > 1 ? [path[0]] : [])))];
  const isBuffer = (name: string): boolean => /^running_|^num_batches/.test(name);
  return {
    state: {
      training: true,
      _parameters: Object.fromEntries([...own.filter(([name]) => !isBuffer(name)), ['none', null]]),
      _buffers: Object.fromEntries(own.filter(([name]) => isBuffer(name))),
      _modules: Object.fromEntries([
        ...inner.map((name) => [
          name,
          moduleOf(
            entries.flatMap(([path, tensor]) =>
              path.length > 1 && path[0] === name ? [[path.slice(1), tensor] as [string[], Tensor]] : [],
            ),
          ),
        ]),
        ['empty', null],
      ]),
    },
  };
}

test('a module that was saved whole, bare and under a key', () => {
  const whole = moduleOf(Object.entries(dict).map(([name, tensor]) => [name.split('.'), tensor]));
  const found = loaded({ model: whole });
  for (const [name, tensor] of Object.entries(dict))
    expect([name, torch.equal(found[name], tensor)]).toEqual([name, true]);
  expect(Object.keys(loaded(whole)).sort()).toEqual(Object.keys(dict).sort());
});
