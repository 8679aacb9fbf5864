import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ClipConfig } from '../../src/clip/config';
import { configInHeader } from '../../src/clip/header_config';
import { type Clip, loadClip } from '../../src/clip/model';
import { runConvert } from '../../src/convert/convert';
import { writeOpenai } from '../../src/convert/files';
import { writeOnnx } from '../../src/convert/onnx';
import { outgoing } from '../../src/convert/state';
import { convert } from '../../src/index';
import type { Conversion } from '../../src/options/convert';
import { torch } from '../../src/torch';
import { livelyClip } from '../parity/models';
import { answersOf, gapOf, gapOfOnnx, resnet, sameState, vit } from './models';

const folder = mkdtempSync(join(tmpdir(), 'cleanclip-convert-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Saves a model as a checkpoint of this library. */
function checkpoint(name: string, clip: Clip): string {
  const path = join(folder, `${name}.pt`);
  torch.save({ state_dict: clip.stateDict(), config: clip.config }, path);
  return path;
}

const ending: Record<Conversion, string> = {
  openai: '.pt',
  safetensors: '.safetensors',
  open_clip: '',
  hf: '',
  onnx: '',
};
let count = 0;
const outOf = (to: Conversion): string => join(folder, `out_${count++}${ending[to]}`);

async function converted(input: string, to: Conversion, more: object = {}): Promise<string> {
  return (await runConvert({ input, output: outOf(to), to, ...more })).output;
}

const odd: Partial<ClipConfig> = {
  activation: 'gelu',
  textHeads: 4,
  textPool: 'last',
  textCausal: false,
  logitBias: true,
  imageMean: [0.5, 0.5, 0.5],
  imageStd: [0.25, 0.5, 0.75],
  interpolation: 'bilinear',
  resizeMode: 'squash',
};

describe.each([
  ['ResNet', resnet],
  ['ViT', vit],
])('%s', (name, config) => {
  const clip = livelyClip(config, 3);
  const input = checkpoint(name, clip);
  const answers = answersOf(clip);
  const scale = Math.max(answers.image.abs().max().item(), answers.text.abs().max().item());
  afterAll(() => clip.dispose());

  test.each(['openai', 'safetensors'] as const)('comes back from %s to the bit', async (to) => {
    using back = loadClip(await converted(input, to), { activation: 'quick_gelu' });
    expect(sameState(clip, back)).toBe(true);
    expect(gapOf(back, answers)).toBe(0);
  });

  test('comes back from safetensors with its whole configuration', async () => {
    using other = loadClip({ ...config, ...odd });
    const output = await converted(checkpoint(`${name}_odd`, other), 'safetensors');
    expect(configInHeader(output)).toEqual(other.config);
    using back = loadClip(output);
    expect(back.config).toEqual(other.config);
    expect(back.config).toMatchObject(odd);
    expect(sameState(other, back)).toBe(true);
  });

  test('computes the same in onnxruntime, of any batch and of short texts', async () => {
    const output = await converted(input, 'onnx');
    expect(readdirSync(output).sort()).toEqual(['image.onnx', 'text.onnx']);
    expect(gapOfOnnx(output, answers)).toBeLessThan(1e-5);
    expect(gapOfOnnx(output, answersOf(clip, 1))).toBeLessThan(1e-5);
    const ids = answers.ids.narrow(0, 0, 1).narrow(1, 0, 6);
    const short = torch.noGrad(() => ({ ...answersOf(clip, 1), ids, text: clip.encodeText(ids) }));
    expect(gapOfOnnx(output, short)).toBeLessThan(1e-5);
  });

  test('keeps large weights of ONNX beside the file', () => {
    const output = outOf('onnx');
    mkdirSync(output);
    writeOnnx(output, outgoing(clip, false), 10_000);
    expect(readdirSync(output).sort()).toEqual(['image.onnx', 'image.onnx.data', 'text.onnx', 'text.onnx.data']);
    expect(gapOfOnnx(output, answers)).toBeLessThan(1e-5);
  });

  test('is stored in half', async () => {
    for (const to of ['openai', 'safetensors'] as const) {
      const output = await converted(input, to, { dtype: 'fp16' });
      const dtypes = new Set(
        Object.values(torch.load(output) as Record<string, { dtype: string }>).map(({ dtype }) => dtype),
      );
      expect(dtypes).toEqual(new Set(name === 'ResNet' ? ['float16', 'int64'] : ['float16']));
      using back = loadClip(output, { activation: 'quick_gelu' });
      expect(gapOf(back, answers)).toBeLessThan(5e-3 * scale);
    }
    const gap = gapOfOnnx(await converted(input, 'onnx', { dtype: 'fp16' }), answers);
    expect(gap).toBeLessThan(5e-3 * scale);
    expect(gap).toBeGreaterThan(1e-6 * scale);
  });
});

describe('refuses, and leaves nothing behind:', () => {
  let input: string;
  beforeAll(() => {
    using clip = loadClip(vit);
    input = checkpoint('plain', clip);
  });
  const refused = async (options: object, code: string, message: RegExp): Promise<void> => {
    const before = readdirSync(folder).sort();
    await expect(
      runConvert({ input, to: 'openai', output: join(folder, 'refused.pt'), ...options }),
    ).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    expect(readdirSync(folder).sort()).toEqual(before);
  };

  test('what exists', async () => {
    const file = join(folder, 'exists.pt');
    writeFileSync(file, 'mine');
    await refused({ output: file }, 'ERR_OPTION', /exists\.pt' is there already and is not written over/);
    expect(readFileSync(file, 'utf8')).toBe('mine');
    await refused({ output: folder, to: 'onnx' }, 'ERR_OPTION', /is there already/);
  });

  test('a name that says another format', async () => {
    await refused(
      { output: join(folder, 'x.pt'), to: 'safetensors' },
      'ERR_OPTION',
      /whose name ends with \.safetensors/,
    );
    await refused(
      { output: join(folder, 'x.safetensors') },
      'ERR_OPTION',
      /--to openai writes no \.safetensors file.*name a \.pt file/,
    );
  });

  test.each([
    [{ activation: 'gelu' }, 'activation "gelu"'],
    [{ textHeads: 4 }, 'textHeads 4'],
    [{ imageMean: [0.5, 0.5, 0.5], resizeMode: 'squash' }, 'imageMean \\[0.5,0.5,0.5\\], resizeMode "squash"'],
  ] as const)('what a bare state dict cannot say: %p', (options, what) => {
    const clip = loadClip({ ...vit, ...options });
    const model = outgoing(clip, false);
    expect(() => writeOpenai(join(folder, 'never.pt'), model)).toThrow(
      expect.objectContaining({
        code: 'ERR_OPTION',
        message: expect.stringMatching(new RegExp(`cannot express that the model has ${what}; convert it --to`)),
      }),
    );
    expect(existsSync(join(folder, 'never.pt'))).toBe(false);
    clip.dispose();
  });

  test("a ResNet, another vocabulary or other options as transformers' CLIPModel", async () => {
    using clip = loadClip(resnet);
    await refused(
      { input: checkpoint('rn', clip), output: join(folder, 'hf'), to: 'hf' },
      'ERR_OPTION',
      /CLIPModel has a vision transformer, but the model has a ResNet/,
    );
    await refused(
      { output: join(folder, 'hf'), to: 'hf' },
      'ERR_OPTION',
      /tokeniser of 49408 ids, but the model knows only 500/,
    );
  });

  test('a classifier', async () => {
    using clip = loadClip(vit);
    const state = Object.fromEntries(
      Object.entries(clip.stateDict()).map(([name, tensor]) => [`model.${name}`, tensor]),
    );
    const path = join(folder, 'finetune.pt');
    torch.save(
      { state_dict: { ...state, 'linear.weight': torch.zeros([10, 64]), 'linear.bias': torch.zeros([10]) } },
      path,
    );
    await refused({ input: path }, 'ERR_CHECKPOINT', /holds a classifier on a CLIP/);
  });

  test('weights beyond float16', async () => {
    using clip = loadClip(vit);
    torch.noGrad(() => clip.stateDict()['ln_final.weight'].fill_(1e6));
    await refused(
      { input: checkpoint('large', clip), dtype: 'fp16' },
      'ERR_CHECKPOINT',
      /ln_final\.weight has weights beyond 65504/,
    );
  });

  test('names of models without weights, and files that are not there', async () => {
    await refused({ input: 'tiny' }, 'ERR_OPTION', /OpenAI has released no weights of 'tiny'/);
    await refused({ input: join(folder, 'nowhere.pt') }, 'ERR_OPTION', /there is no '.*nowhere\.pt'/);
  });

  test('options that are missing or none', async () => {
    await expect(convert({ input, output: 'x' })).rejects.toMatchObject({
      code: 'ERR_OPTION',
      message: 'convert needs to; see cleanclip convert --help.',
    });
    await expect(convert({ input, output: 'x', to: 'tflite' as never })).rejects.toMatchObject({
      code: 'ERR_OPTION',
      message: expect.stringMatching(/--to must be one of openai,/),
    });
  });
});

test('runs in a thread of its own, and warns of what a bare state dict does not say, nor the options', async () => {
  using clip = livelyClip({ ...vit, textHeads: 4, activation: 'gelu' }, 5);
  const [input, sizes] = [join(folder, 'bare.pt'), join(folder, 'sizes.json')];
  torch.save(clip.stateDict(), input);
  writeFileSync(sizes, JSON.stringify(clip.config));
  const warnings = async (options: object): Promise<[string[], object]> => {
    const events: string[] = [];
    const output = outOf('open_clip');
    const { files } = await convert({
      input,
      output,
      to: 'open_clip',
      ...options,
      onProgress: (event) => void (event.type === 'log' && events.push(event.line)),
    });
    expect(files).toEqual(['open_clip_config.json', 'open_clip_model.safetensors']);
    return [events, JSON.parse(readFileSync(join(output, 'open_clip_config.json'), 'utf8')) as object];
  };
  const [told, assumed] = await warnings({});
  expect(told).toEqual([expect.stringMatching(/^WARNING: .*bare\.pt' does not say .*--activation gelu/)]);
  expect(assumed).toMatchObject({ model_cfg: { quick_gelu: true, text_cfg: { heads: 2 } } });
  expect(await warnings({ modelName: sizes })).toEqual([
    [],
    expect.objectContaining({
      model_cfg: expect.objectContaining({ quick_gelu: false, text_cfg: expect.objectContaining({ heads: 4 }) }),
    }),
  ]);
  expect((await warnings({ activation: 'gelu' }))[1]).toMatchObject({ model_cfg: { quick_gelu: false } });
});
