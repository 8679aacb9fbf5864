import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type ClipConfig, completeConfig } from '../../src/clip/config';
import { type Clip, loadClip } from '../../src/clip/model';
import { configs } from '../../src/clip/named';
import { type Tensor, torch } from '../../src/torch';
import { joined } from '../support/patterns';

const vit: ClipConfig = {
  embedDim: 256,
  imageSize: 32,
  visionLayers: 2,
  visionWidth: 256,
  visionPatchSize: 8,
  contextLength: 24,
  vocabularySize: 1000,
  textWidth: 192,
  textHeads: 3,
  textLayers: 3,
};
const resnet: ClipConfig = { ...configs.tiny, vocabularySize: 1000 };

const folder = mkdtempSync(join(tmpdir(), 'cleanclip-model-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Captions of these many words, the end token after them. */
function captions(lengths: number[], { contextLength, vocabularySize }: ClipConfig): Tensor {
  const ids = torch.zeros([lengths.length, contextLength], { dtype: 'int64' });
  const generator = new torch.Generator(5);
  lengths.forEach((words, row) => {
    ids
      .select(0, row)
      .narrow(0, 0, words)
      .random_(1, vocabularySize - 1, { generator });
    ids
      .select(0, row)
      .select(0, words)
      .fill_(vocabularySize - 1);
  });
  return ids;
}

const images = (batch: number, { imageSize }: ClipConfig): Tensor =>
  torch.randn([batch, 3, imageSize, imageSize], { generator: new torch.Generator(batch) });

const gap = (a: Tensor, b: Tensor): number => a.to('float32').sub(b.to('float32')).abs().max().item();

const number = (tensor: Tensor): number => tensor.item();

describe('new weights', () => {
  const deviations: [ClipConfig, Record<string, number>][] = [
    [
      resnet,
      {
        'token_embedding.weight': 0.02,
        'visual.attnpool.q_proj.weight': 512 ** -0.5,
        'visual.attnpool.k_proj.weight': 512 ** -0.5,
        'visual.attnpool.v_proj.weight': 512 ** -0.5,
        'visual.attnpool.c_proj.weight': 512 ** -0.5,
        'visual.attnpool.positional_embedding': 512 ** -0.5,
        'visual.attnpool.c_proj.bias': (3 * 512) ** -0.5,
        'visual.conv3.weight': (3 * 8 * 9) ** -0.5,
        'visual.layer3.0.conv2.weight': (3 * 64 * 9) ** -0.5,
      },
    ],
    [
      vit,
      {
        'token_embedding.weight': 0.02,
        positional_embedding: 0.01,
        text_projection: 192 ** -0.5,
        'transformer.resblocks.0.attn.in_proj_weight': 192 ** -0.5,
        'transformer.resblocks.2.attn.out_proj.weight': (192 * 6) ** -0.5,
        'transformer.resblocks.1.mlp.c_fc.weight': (2 * 192) ** -0.5,
        'transformer.resblocks.1.mlp.c_proj.weight': (192 * 6) ** -0.5,
        'transformer.resblocks.1.mlp.c_fc.bias': (3 * 192) ** -0.5,
        'visual.class_embedding': 256 ** -0.5,
        'visual.positional_embedding': 256 ** -0.5,
        'visual.proj': 256 ** -0.5,
        'visual.conv1.weight': (3 * 3 * 64) ** -0.5,
        'visual.transformer.resblocks.0.attn.in_proj_weight': (6 / (4 * 256)) ** 0.5 / 3 ** 0.5,
        'visual.transformer.resblocks.0.attn.out_proj.weight': (3 * 256) ** -0.5,
        'visual.transformer.resblocks.0.mlp.c_fc.weight': (3 * 256) ** -0.5,
        'visual.transformer.resblocks.1.mlp.c_proj.weight': (3 * 1024) ** -0.5,
      },
    ],
  ];
  test.each(deviations)('have the reference’s standard deviations (%#)', (config, expected) => {
    using clip = loadClip(config, { seed: 3 });
    for (const [name, deviation] of Object.entries(expected)) {
      const tensor = clip.stateDict()[name];
      const count = tensor.shape.reduce((a, b) => a * b, 1);
      const error = number(tensor.std()) / deviation - 1;
      expect({ name, far: Math.abs(error) > 4 / Math.sqrt(2 * count) }).toEqual({ name, far: false });
      expect({ name, far: Math.abs(number(tensor.mean())) > (4 * deviation) / Math.sqrt(count) }).toEqual({
        name,
        far: false,
      });
    }
  });

  test('are 0 and 1 where the reference’s are', () => {
    for (const config of [resnet, vit]) {
      using clip = loadClip(config);
      for (const [name, tensor] of Object.entries(clip.stateDict())) {
        const zero =
          /layer\d.*bn3\.weight|(bn\d|ln_\w+|downsample\.1|out_proj)\.bias|in_proj_bias|running_mean|num_batches/.test(
            name,
          );
        const one = !zero && /(bn\d|ln_\w+|downsample\.1)\.weight|running_var/.test(name);
        if (zero || one)
          expect({ name, low: number(tensor.min()), high: number(tensor.max()) }).toEqual({
            name,
            low: +one,
            high: +one,
          });
        else
          expect({ name, same: number(tensor.min()) === number(tensor.max()) }).toEqual({
            name,
            same: name === 'logit_scale',
          });
      }
      expect(number(clip.logitScale)).toBeCloseTo(Math.log(1 / 0.07), 6);
    }
  });

  test('follow from the seed, and leave the global generator alone', () => {
    torch.manualSeed(1);
    const expected = torch.rand([4]).toArray();
    torch.manualSeed(1);
    using a = loadClip(vit, { seed: 7 });
    expect(torch.rand([4]).toArray()).toEqual(expected);
    using b = loadClip(vit, { seed: 7 });
    using c = loadClip(vit, { seed: 8 });
    for (const [name, tensor] of Object.entries(a.stateDict())) expect(gap(tensor, b.stateDict()[name])).toBe(0);
    expect(gap(a.stateDict()['visual.proj'], c.stateDict()['visual.proj'])).toBeGreaterThan(0.01);
  });
});

describe.each([
  ['ResNet', resnet],
  ['ViT', vit],
])('%s', (_, config) => {
  let clip: Clip;
  beforeAll(() => {
    clip = loadClip(config, { seed: 1 }).eval();
  });

  test('embeds images and captions at unit length, as encodeImage and encodeText normalised', () => {
    const ids = captions([2, 9, 5], config);
    const { imageEmbeds, textEmbeds } = clip.forward(ids, images(3, config));
    const unit = (features: Tensor): Tensor => features.div(features.norm(2, [1], true));
    expect(imageEmbeds.shape).toEqual([3, config.embedDim]);
    expect(textEmbeds.shape).toEqual([3, config.embedDim]);
    expect(gap(imageEmbeds, unit(clip.encodeImage(images(3, config))))).toBeLessThan(1e-6);
    expect(gap(textEmbeds, unit(clip.encodeText(ids)))).toBeLessThan(1e-6);
  });

  test.each([[[2, 9, 5]], [[5, 5, 5]], [[0]], [[23, 1]], [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]]])(
    'gives the same features and gradients for captions of %p words that are padded',
    (lengths) => {
      using packed = loadClip(config, { seed: 1, gradCheckpointing: lengths.length > 3 }).eval();
      using padded = loadClip(config, { seed: 1, packText: false }).eval();
      const ids = captions(lengths, config);
      const [features, others] = [packed, padded].map((one) => one.encodeText(ids));
      expect(gap(features, others)).toBeLessThan(1e-5);
      for (const one of [features, others])
        one
          .div(one.norm(2, [1], true))
          .mul(torch.randn(one.shape, { generator: new torch.Generator(3) }))
          .sum()
          .backward();
      const text = packed.namedParameters().filter(([name]) => !/^visual|logit_scale/.test(name));
      const gradients = new Map(padded.namedParameters());
      for (const [name, { grad }] of text) {
        const other = gradients.get(name)!.grad!;
        expect({ name, differs: gap(grad!, other) > 1e-5 * number(other.abs().max()) + 1e-7 }).toEqual({
          name,
          differs: false,
        });
      }
    },
  );

  test('reads nothing after the end token', () => {
    const ids = captions([2, 9, 5], config);
    const other = ids.clone();
    other.select(0, 0).narrow(0, 3, 5).fill_(17);
    expect(gap(clip.encodeText(ids), clip.encodeText(other))).toBe(0);
  });

  test('computes in bfloat16 under bf16, and returns float32 embeddings and gradients', () => {
    using half = loadClip(config, { seed: 1, precision: 'bf16' }).eval();
    const ids = captions([2, 9, 5], config);
    const [full, low] = [clip, half].map((one) => one.forward(ids, images(3, config)));
    expect([low.imageEmbeds.dtype, low.textEmbeds.dtype, half.encodeImage(images(3, config)).dtype]).toEqual([
      'float32',
      'float32',
      'bfloat16',
    ]);
    expect(gap(full.imageEmbeds, low.imageEmbeds)).toBeLessThan(0.03);
    expect(gap(full.textEmbeds, low.textEmbeds)).toBeLessThan(0.03);
    expect(gap(low.imageEmbeds.norm(2, [1]), torch.ones([3]))).toBeLessThan(1e-6);
    low.imageEmbeds.mul(low.textEmbeds).sum().backward();
    for (const [name, parameter] of half.namedParameters()) {
      if (name !== 'logit_scale') expect({ name, dtype: parameter.grad?.dtype }).toEqual({ name, dtype: 'float32' });
    }
  });

  test('keeps no tensors of a step', () => {
    const step = (): void =>
      torch.tidy(() => {
        const { imageEmbeds, textEmbeds } = clip.forward(captions([2, 9, 5], config), images(3, config));
        imageEmbeds.mul(textEmbeds).sum().backward();
      });
    step();
    const before = torch.memory();
    step();
    expect(torch.memory()).toEqual(before);
  });

  test('refuses other images and token ids', () => {
    const { imageSize, contextLength } = config;
    const wrongPixels = [
      [2, 3, 16, 16],
      [3, imageSize, imageSize],
      [2, 1, imageSize, imageSize],
    ].map((shape) => torch.zeros(shape));
    for (const pixels of [...wrongPixels, torch.zeros([1, 3, imageSize, imageSize], { dtype: 'uint8' })]) {
      expect(() => clip.encodeImage(pixels)).toThrow(
        expect.objectContaining({
          code: 'ERR_OPTION',
          message: expect.stringContaining(`[B, 3, ${imageSize}, ${imageSize}]`),
        }),
      );
    }
    const wrongIds = [
      torch.zeros([2, contextLength]),
      torch.zeros([contextLength], { dtype: 'int64' }),
      torch.zeros([1, contextLength + 1], { dtype: 'int64' }),
    ];
    for (const ids of wrongIds)
      expect(() => clip.encodeText(ids)).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
    expect(() => clip.encodeText(torch.full([1, contextLength], config.vocabularySize, { dtype: 'int64' }))).toThrow(
      /out of range/,
    );
  });
});

describe('batch norm', () => {
  test('in training follows the batch and moves its statistics; in evaluation it does neither', () => {
    using clip = loadClip(resnet);
    const [pixels, mean, batches] = [
      images(6, resnet),
      clip.stateDict()['visual.bn1.running_mean'],
      clip.stateDict()['visual.bn1.num_batches_tracked'],
    ];
    const first = (batch: Tensor): Tensor => clip.encodeImage(batch).narrow(0, 0, 1);
    expect(gap(first(pixels), first(pixels.narrow(0, 0, 2)))).toBeGreaterThan(1e-3);
    expect([number(mean.abs().max()) > 0, number(batches)]).toEqual([true, 2]);
    clip.eval();
    expect(gap(first(pixels), first(pixels.narrow(0, 0, 2)))).toBeLessThan(1e-5);
    expect(number(batches)).toBe(2);
  });
});

describe('state dicts', () => {
  test('go from a model to another, with or without module. and in another dtype', () => {
    using source = loadClip(resnet, { seed: 1 });
    using target = loadClip(resnet, { seed: 2 });
    const own = target.stateDict();
    target.loadStateDict(
      Object.fromEntries(Object.entries(source.stateDict()).map(([name, tensor]) => [`module.${name}`, tensor])),
    );
    for (const [name, tensor] of Object.entries(source.stateDict())) expect(gap(tensor, own[name])).toBe(0);
    target.loadStateDict(
      Object.fromEntries(Object.entries(source.stateDict()).map(([name, tensor]) => [name, tensor.to('float64')])),
    );
    expect(own.logit_scale.dtype).toBe('float32');
  });

  test('that do not fit are refused whole, with the names and shapes', () => {
    using clip = loadClip(resnet, { seed: 1 });
    using other = loadClip(resnet, { seed: 2 });
    const { logit_scale, ...dict }: Record<string, Tensor> = {
      ...other.stateDict(),
      text_projection: torch.zeros([3, 4]),
      extra: torch.zeros([2]),
    };
    const before = clip.stateDict()['visual.conv1.weight'].clone();
    expect(() => clip.loadStateDict(dict)).toThrow(
      expect.objectContaining({
        code: 'ERR_CHECKPOINT',
        message: expect.stringMatching(
          joined(
            /text_projection is \[3, 4\], and the model's is \[128, 128\]; /,
            /logit_scale \[\] is missing; extra \[2\] is unexpected/,
          ),
        ),
      }),
    );
    expect(gap(before, clip.stateDict()['visual.conv1.weight'])).toBe(0);
    expect(() => clip.loadStateDict({})).toThrow(/; and \d+ more\. Load a checkpoint of the same architecture/);
    expect(logit_scale.shape).toEqual([]);
  });
});

describe('loadClip', () => {
  test('reads a checkpoint, and infers the sizes', () => {
    using clip = loadClip(vit, { seed: 4 });
    const path = join(folder, 'epoch_1.pt');
    const state_dict = Object.fromEntries(
      Object.entries(clip.stateDict()).map(([name, tensor]) => [`module.${name}`, tensor]),
    );
    torch.save({ epoch: 1, name: 'run', state_dict, optimizer: {} }, path);
    torch.save(clip.stateDict(), join(folder, 'plain.pt'));
    for (const file of [path, join(folder, 'plain.pt')]) {
      using loaded = torch.tidy(() => loadClip(file));
      expect(loaded.config).toEqual(completeConfig(vit));
      expect(gap(loaded.encodeImage(images(2, vit)), clip.encodeImage(images(2, vit)))).toBe(0);
    }
  });

  test('says what is wrong with its arguments', () => {
    const path = join(folder, 'other.pt');
    torch.save({ weight: torch.zeros([2]) }, path);
    torch.save({ epoch: 3 }, join(folder, 'empty.pt'));
    expect(() => loadClip('RN51')).toThrow(/one of RN50, .* or the path of a checkpoint, but there is no file 'RN51'/);
    expect(() => loadClip(path)).toThrow(/not the state dict of a CLIP/);
    expect(() => loadClip(join(folder, 'empty.pt'))).toThrow(/holds no state dict/);
    expect(() => loadClip('tiny', { precision: 'fp8' as 'fp32' })).toThrow(
      /precision must be 'fp32', 'bf16' or 'fp16', but it is 'fp8'/,
    );
  });

  test('dispose frees the model', () => {
    const before = torch.memory();
    const clip = loadClip(vit);
    expect(torch.memory().bytes - before.bytes).toBeGreaterThan(1e6);
    clip.dispose();
    expect(torch.memory()).toEqual(before);
    expect(() => clip.encodeImage(images(1, vit))).toThrow(/disposed/);
  });
});
