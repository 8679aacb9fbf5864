import { checkConfig } from '../../src/clip/check_config';
import { type ClipConfig, completeConfig, mlpWidth } from '../../src/clip/config';
import { sizesOfShapes } from '../../src/clip/infer';
import { Clip } from '../../src/clip/model';
import { configs } from '../../src/clip/named';
import { shapesOf } from '../../src/clip/read_model';
import { knownConfig } from '../../src/clip/resolve';
import { weightCount } from '../../src/clip/weight_count';

test.each(Object.keys(configs))('the sizes of %s follow from the shapes of its tensors', (name) => {
  const { visionLayers } = configs[name];
  const config = { ...configs[name], textLayers: 2, visionLayers: Array.isArray(visionLayers) ? visionLayers : 2 };
  using clip = new Clip(config); // without a seed its memory stays untouched
  const shapes = shapesOf(clip.stateDict());
  expect(knownConfig(shapes, 'x.pt', {}, { named: { config, by: name } })).toEqual({ config: clip.config });
  const { visionMlpRatio = 4, ...sizes } = sizesOfShapes(shapes);
  expect(clip.config).toMatchObject(sizes);
  expect(mlpWidth(config.visionWidth, visionMlpRatio)).toBe(mlpWidth(config.visionWidth, config.visionMlpRatio ?? 4));
});

test.each(['ViT-g-14', 'ViT-H-14'])(
  'heads of %s, which are not of 64 features, are those of the named model of its sizes',
  (name) => {
    using clip = new Clip(configs[name]);
    const { config, assumed } = knownConfig(shapesOf(clip.stateDict()), 'x.pt', {});
    expect([config.visionHeads, config.activation]).toEqual([16, 'quick_gelu']);
    expect(assumed).toMatch(/'x\.pt' does not say .*QuickGELU and 16 and 16 heads.*--activation gelu/);
  },
);

test('parameters are as many as in the published models', () => {
  const count = (name: string): number => {
    using clip = new Clip(configs[name]);
    return clip.namedParameters().reduce((sum, [, parameter]) => sum + parameter.shape.reduce((a, b) => a * b, 1), 0);
  };
  expect(count('RN50')).toBe(102_007_137);
  expect(count('ViT-B/32')).toBe(151_277_313);
  expect(count('ViT-L/14')).toBe(427_616_513);
});

test('a stored configuration tells the number of text heads', () => {
  const config: ClipConfig = { ...configs.tiny, textHeads: 4 };
  using clip = new Clip(config);
  expect(knownConfig(shapesOf(clip.stateDict()), 'x.pt', { stated: { config, by: 'it' } })).toEqual({
    config: completeConfig(config),
  });
});

test('a state dict of another model is refused', () => {
  expect(() => sizesOfShapes({ 'fc.weight': [10, 5], 'fc.bias': [10] })).toThrow(
    expect.objectContaining({
      code: 'ERR_CHECKPOINT',
      message: expect.stringMatching(/ln_final\.weight.*fc\.weight, fc\.bias/),
    }),
  );
  expect(() => sizesOfShapes({})).toThrow(/names are none/);
});

test.each([
  [{ embedDim: 0 }, /embedDim must be an integer from 1 to 65,536, but it is 0/],
  [{ imageSize: 100 }, /imageSize must be a multiple of 32, but it is 100/],
  [{ textWidth: 1.5 }, /textWidth/],
  [{ textHeads: 3 }, /textHeads must be a divisor of textWidth, 128, but it is 3/],
  [{ visionLayers: [1, 1, 1] }, /visionLayers must be four numbers from 1 to 1000/],
  [{ visionLayers: 12 }, /visionLayers must be four numbers from 1 to 1000/],
  [{ visionWidth: 15 }, /visionWidth must be even/],
  [{ visionPatchSize: 8 }, /visionLayers must be an integer from 1 to 1,000/],
  [{ visionPatchSize: 8, visionLayers: 2 }, /visionWidth must be a multiple of 64, or visionHeads be given/],
  [{ visionPatchSize: 7, visionLayers: 2, visionWidth: 64 }, /visionPatchSize must be a divisor of imageSize, 64/],
  [{ vocabularySize: undefined as unknown as number }, /vocabularySize.*undefined/],
])('the configuration %j is refused', (wrong, message) => {
  expect(() => checkConfig({ ...configs.tiny, ...wrong })).toThrow(
    expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringMatching(message) }),
  );
});

const patches: ClipConfig = { ...configs['ViT-B/32'], visionLayers: 1, textLayers: 1 };

test.each<[Partial<ClipConfig>, RegExp]>([
  [{ embedDim: 65_537 }, /embedDim must be an integer from 1 to 65,536, but it is 65537/],
  [{ imageSize: 16_416 }, /imageSize must be an integer from 1 to 16,384, but it is 16416/],
  [{ visionWidth: 65_600 }, /visionWidth must be an integer from 1 to 65,536/],
  [{ contextLength: 65_537 }, /contextLength must be an integer from 1 to 65,536/],
  [{ vocabularySize: 2 ** 24 + 1 }, /vocabularySize must be an integer from 1 to 16,777,216/],
  [{ textWidth: 2 ** 17 }, /textWidth must be an integer from 1 to 65,536/],
  [{ textHeads: 65_537 }, /textHeads must be an integer from 1 to 65,536/],
  [{ textLayers: 1001 }, /textLayers must be an integer from 1 to 1,000/],
  [{ visionLayers: 1001 }, /visionLayers must be an integer from 1 to 1,000/],
  [{ visionLayers: 2 ** 40 }, /visionLayers/],
  [{ visionPatchSize: 0 }, /visionPatchSize must be a divisor of imageSize/],
  [{ visionHeads: 7 }, /visionHeads must be a divisor of the 768 features that attend, but it is 7/],
  [{ visionHeads: 1536 }, /visionHeads/],
  [
    { visionMlpRatio: 65 },
    /visionMlpRatio must be a number up to 64 that gives each MLP at least one feature, but it is 65/,
  ],
  [{ textMlpRatio: 1e-9 }, /textMlpRatio must be a number up to 64/],
  [{ textMlpRatio: Infinity }, /textMlpRatio/],
  [{ textEosId: 1e300 }, /textEosId must be an integer of at least 0/],
  [{ textPool: 'eos', textEosId: 49_408 }, /textEosId must be below vocabularySize, 49408, for textPool 'eos'/],
  [{ fillColor: 256 }, /fillColor must be an integer from 0 to 255/],
])('%j is beyond what a ViT may be', (wrong, message) => {
  expect(() => checkConfig({ ...patches, ...wrong })).toThrow(
    expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringMatching(message) }),
  );
});

test.each<[Partial<ClipConfig>, RegExp]>([
  [{ visionLayers: [1, 1, 1, 1001] }, /visionLayers must be four numbers from 1 to 1000/],
  [{ visionWidth: 2050 }, /visionWidth must be even and at most 2048, but it is 2050/],
  [{ visionLayerScale: true }, /visionLayerScale must be left out for a ResNet, which has no such choice \(or false\)/],
  [{ visionPool: 'avg' }, /visionPool must be left out for a ResNet/],
])('%j is beyond what a ResNet may be', (wrong, message) => {
  expect(() => checkConfig({ ...configs.RN50, ...wrong })).toThrow(
    expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringMatching(message) }),
  );
});

test('the largest values are taken, where the weights fit into memory', () => {
  expect(
    checkConfig({
      ...patches,
      visionLayers: 1000,
      visionWidth: 64,
      textLayers: 1000,
      textWidth: 64,
      textHeads: 64,
      imageSize: 16_384,
      visionPatchSize: 1024,
    }),
  ).toMatchObject({ textLayers: 1000 });
});

test.each<[string, ClipConfig]>([
  ['a ViT', { ...patches, visionLayers: 1000, visionWidth: 65_536 }],
  ['a ResNet', { ...configs.RN50, visionLayers: [1000, 1000, 1000, 1000], visionWidth: 2048 }],
  ['captions', { ...patches, textWidth: 65_536, textHeads: 64, textLayers: 1000 }],
  ['token ids', { ...patches, textWidth: 65_536, textHeads: 64, vocabularySize: 2 ** 24 }],
])('%s whose weights no machine holds is refused before anything is made', (_, config) => {
  expect(() => new Clip(config)).toThrow(
    expect.objectContaining({
      code: 'ERR_OPTION',
      message: expect.stringMatching(
        /^A model of this configuration has [\d.]+ GB of weights, and this machine [\d.]+ GB of memory; choose smaller/,
      ),
    }),
  );
});

test.each(['RN50', 'ViT-B/32', 'ViT-B-32', 'ViT-M-16-alt', 'tiny'])(
  'the estimate of the weights of %s is close to what they are',
  (name) => {
    using clip = new Clip(configs[name]);
    const held = Object.values(clip.stateDict()).reduce((sum, tensor) => sum + tensor.numel(), 0);
    const estimate = weightCount(clip.config);
    expect(estimate / held).toBeGreaterThan(0.97);
    expect(estimate / held).toBeLessThan(1.001);
  },
);
