import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type ClipConfig, completeConfig } from '../../src/clip/config';
import { type Clip, loadClip } from '../../src/clip/model';
import { readCheckpoint } from '../../src/run/checkpoint';
import { type Tensor, torch } from '../../src/torch';
import { python } from './python';

// Small CLIPs of open_clip and transformers, in the files that these libraries write; their features against those of
// the library.
jest.setTimeout(300_000);

interface Answer {
  ids: Tensor;
  pixels: Tensor;
  images: Tensor;
  texts: Tensor;
}

const unit = (x: Tensor): Tensor => x.div(torch.ops.aten.linalg_vector_norm(x, 2, [-1], true));
const gap = (a: Tensor, b: Tensor): number => unit(a).sub(unit(b)).abs().max().item();

/** The largest difference of unit-norm features from those of Python, of packed captions and of whole ones. */
function difference(source: string | ClipConfig, answer: Answer, options: Parameters<typeof loadClip>[1] = {}): number {
  return Math.max(
    ...[true, false].map((packText) =>
      torch.noGrad(() =>
        torch.tidy(() => {
          const clip = loadClip(source, { ...options, packText }).eval();
          const result = Math.max(
            gap(clip.encodeImage(answer.pixels), answer.images),
            gap(clip.encodeText(answer.ids), answer.texts),
          );
          clip.dispose();
          return result;
        }),
      ),
    ),
  );
}

const text = { context_length: 77, vocab_size: 49408, width: 64, heads: 1, layers: 2 };
const vit = { image_size: 32, layers: 2, width: 64, patch_size: 16 };
const resnet = { image_size: 32, layers: [1, 1, 1, 1], width: 16 };
const model = (vision: object, texts: object, more: object = {}): object => ({
  embed_dim: 32,
  vision_cfg: vision,
  text_cfg: texts,
  ...more,
});

const openClip: Record<
  string,
  { cfg: object; custom?: boolean; bin?: boolean; whole?: boolean; preprocess?: object; is?: Partial<ClipConfig> }
> = {
  gelu: { cfg: model(vit, text), whole: true, is: { activation: 'gelu' } },
  quick: { cfg: model(vit, text, { quick_gelu: true }), bin: true, is: { activation: 'quick_gelu' } },
  resnet: { cfg: model(resnet, text), whole: true },
  resnet_heads: { cfg: model({ ...resnet, head_width: 32 }, text), is: { visionHeads: 16 } },
  heads: {
    cfg: model({ ...vit, width: 80, head_width: 20 }, { ...text, width: 96, heads: 3 }),
    is: { visionHeads: 4, textHeads: 3 },
  },
  mlp: { cfg: model({ ...vit, mlp_ratio: 4.3637 }, { ...text, mlp_ratio: 3.3 }) },
  layer_scale: { cfg: model({ ...vit, ls_init_value: 0.1 }, { ...text, ls_init_value: 0.1 }) },
  no_ln_pre: { cfg: model({ ...vit, no_ln_pre: true }, text) },
  mean: { cfg: model({ ...vit, pool_type: 'avg' }, text), is: { visionPool: 'avg', visionNormAfterPool: false } },
  mean_then_norm: {
    cfg: model({ ...vit, pool_type: 'avg', final_ln_after_pool: true }, text),
    is: { visionNormAfterPool: true },
  },
  not_causal: { cfg: model(vit, { ...text, no_causal_mask: true }), is: { textCausal: false } },
  first: { cfg: model(vit, { ...text, pool_type: 'first' }) },
  last: { cfg: model(vit, { ...text, pool_type: 'last' }) },
  first_not_causal: { cfg: model(vit, { ...text, pool_type: 'first', no_causal_mask: true }) },
  eos: { cfg: model(vit, { ...text, pool_type: 'eos', eos_id: 49407 }), is: { textPool: 'eos', textEosId: 49407 } },
  projection_bias: { cfg: model(vit, { ...text, proj_bias: true }), is: { textProjectionBias: true } },
  custom: { cfg: model(vit, { ...text, proj_bias: true }), custom: true },
  custom_resnet: { cfg: model(resnet, text), custom: true, bin: true },
  logit_bias: { cfg: model(vit, text, { init_logit_bias: -10, nonscalar_logit_scale: true }), is: { logitBias: true } },
  preprocessing: {
    cfg: model(vit, text),
    preprocess: { mean: [0.5, 0.5, 0.5], std: [0.5, 0.25, 0.5], interpolation: 'bilinear', resize_mode: 'squash' },
    is: { imageMean: [0.5, 0.5, 0.5], imageStd: [0.5, 0.25, 0.5], interpolation: 'bilinear', resizeMode: 'squash' },
  },
};

describe('open_clip', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cleanclip-models-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  let answers: Record<string, Answer>;
  beforeAll(() => {
    const models = Object.fromEntries(
      Object.entries(openClip).map(([name, model]) => [name, { ...model, is: undefined }]),
    );
    python('models_in.py', { job: 'open_clip', folder, models });
    answers = torch.load(join(folder, 'answers.pt')) as typeof answers;
  });
  const emit = jest.spyOn(process, 'emitWarning').mockImplementation();
  afterAll(() => emit.mockRestore());

  test.each(Object.keys(openClip))('%s: its folder, and its weights with its configuration', (name) => {
    const path = join(folder, name);
    expect(difference(path, answers[name])).toBeLessThan(1e-5);
    using clip: Clip = loadClip(path);
    expect(clip.config).toMatchObject(openClip[name].is ?? {});
    expect(difference(clip.config, answers[name], { pretrained: `${path}.pt` })).toBeLessThan(1e-5);
    const { config, assumed, epoch } = readCheckpoint(path);
    expect([config, assumed, epoch]).toEqual([clip.config, undefined, 0]);
  });

  test('a bare state dict takes what it does not say from the options, else OpenAI’s, with a warning of each', () => {
    const [gelu, quick] = ['gelu', 'quick'].map((name) => join(folder, `${name}.pt`));
    expect(difference(gelu, answers.gelu, { activation: 'gelu' })).toBeLessThan(1e-5);
    expect(difference(quick, answers.quick)).toBeLessThan(1e-5);
    expect(difference(gelu, answers.gelu)).toBeGreaterThan(1e-5);
    const warnings = (emit.mock.calls as unknown as [string, { type: string }][]).map(
      ([text, { type }]) => `${type}: ${text}`,
    );
    expect(
      warnings.filter((text) => text.startsWith(`CleanclipWarning: '${gelu}' does not say its model's activation`)),
    ).toHaveLength(1);
    expect(warnings.filter((text) => text.includes(quick))).toHaveLength(1);
    expect(readCheckpoint(gelu)).toMatchObject({
      config: { activation: 'quick_gelu' },
      assumed: expect.stringContaining('QuickGELU'),
      epoch: 2,
    });
    expect(readCheckpoint(gelu, { activation: 'gelu' })).toMatchObject({
      config: { activation: 'gelu' },
      assumed: expect.stringContaining('heads, pooling and mask'),
    });
  });

  test.each(['gelu', 'resnet'])('%s: the module saved whole', (name) => {
    expect(difference(join(folder, `${name}_whole.pt`), answers[name], { activation: 'gelu' })).toBeLessThan(1e-5);
  });

  test('what contradicts a folder is refused', () => {
    const path = join(folder, 'gelu');
    expect(() => loadClip(path, { activation: 'quick_gelu' })).toThrow(
      /is gelu by .*open_clip_config\.json, and quick_gelu by --activation; leave out/,
    );
    expect(() => loadClip('ViT-B-32', { pretrained: path })).toThrow(
      /By ViT-B-32 the model's embedDim is 512, but .* has weights for 32/,
    );
    expect(() =>
      loadClip({ ...completeConfig(loadClip(path).config), activation: 'quick_gelu' }, { pretrained: path }),
    ).toThrow(/quick_gelu by the configuration given/);
  });
});

const hfText = {
  hidden_size: 64,
  intermediate_size: 256,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  max_position_embeddings: 77,
  vocab_size: 49408,
};
const hfVision = {
  hidden_size: 96,
  intermediate_size: 200,
  num_hidden_layers: 2,
  num_attention_heads: 3,
  image_size: 32,
  patch_size: 8,
};
const acts = (hidden_act: string, more: object = {}): object => ({
  text: { ...hfText, hidden_act, ...more },
  vision: { ...hfVision, hidden_act },
  projection_dim: 48,
});

const huggingFace: Record<string, { spec: object; is: Partial<ClipConfig> }> = {
  quick: {
    spec: acts('quick_gelu'),
    is: { activation: 'quick_gelu', textPool: 'eos', visionHeads: 3, textHeads: 2, cropRounding: 'down' },
  },
  gelu: { spec: acts('gelu'), is: { activation: 'gelu', interpolation: 'bicubic', resizeMode: 'shortest' } },
  old_eos: { spec: acts('gelu', { eos_token_id: 2 }), is: { textPool: 'argmax' } },
  sharded: { spec: { ...acts('gelu'), shards: '500KB' }, is: {} },
  hub: { spec: { ...acts('quick_gelu'), hub: '3d74acf9a28c67741b2f4f2ea7635f0aaf6f0268' }, is: {} },
  preprocessing: {
    spec: { ...acts('gelu'), preprocess: { image_mean: [0.5, 0.5, 0.4], resample: 2 } },
    is: { imageMean: [0.5, 0.5, 0.4], interpolation: 'bilinear' },
  },
};

describe('transformers', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cleanclip-models-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  let answers: Record<string, Answer>;
  beforeAll(() => {
    python('models_in.py', {
      job: 'hf',
      folder,
      models: Object.fromEntries(Object.entries(huggingFace).map(([name, { spec }]) => [name, spec])),
    });
    answers = torch.load(join(folder, 'answers.pt')) as typeof answers;
  });

  test.each(Object.keys(huggingFace))('%s', (name) => {
    const path = join(folder, name);
    expect(difference(path, answers[name])).toBeLessThan(1e-5);
    using clip = loadClip(path);
    expect(clip.config).toMatchObject(huggingFace[name].is);
  });
});
