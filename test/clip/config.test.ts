import { checkConfig } from '../../src/clip/check_config';
import { type ClipConfig, completeConfig, configs, mlpWidth } from '../../src/clip/config';
import { sizesOfShapes } from '../../src/clip/infer';
import { Clip } from '../../src/clip/model';
import { shapesOf } from '../../src/clip/read_model';
import { knownConfig } from '../../src/clip/resolve';

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

test.each(['ViT-g-14', 'ViT-H-14'])('heads of %s, which are not of 64 features, are those of the named model of its sizes', (name) => {
  using clip = new Clip(configs[name]);
  const { config, assumed } = knownConfig(shapesOf(clip.stateDict()), 'x.pt', {});
  expect([config.visionHeads, config.activation]).toEqual([16, 'quick_gelu']);
  expect(assumed).toMatch(/'x\.pt' does not say .*QuickGELU and 16 and 16 heads.*--activation gelu/);
});

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
  expect(knownConfig(shapesOf(clip.stateDict()), 'x.pt', { stated: { config, by: 'it' } })).toEqual({ config: completeConfig(config) });
});

test('a state dict of another model is refused', () => {
  expect(() => sizesOfShapes({ 'fc.weight': [10, 5], 'fc.bias': [10] })).toThrow(
    expect.objectContaining({ code: 'ERR_CHECKPOINT', message: expect.stringMatching(/ln_final\.weight.*fc\.weight, fc\.bias/) }),
  );
  expect(() => sizesOfShapes({})).toThrow(/names are none/);
});

test.each([
  [{ embedDim: 0 }, /embedDim must be a whole number from 1 to 65,536, but it is 0/],
  [{ imageSize: 100 }, /imageSize must be a multiple of 32, but it is 100/],
  [{ textWidth: 1.5 }, /textWidth/],
  [{ textHeads: 3 }, /textHeads must be a divisor of textWidth, 128, but it is 3/],
  [{ visionLayers: [1, 1, 1] }, /visionLayers must be four numbers from 1 to 1000/],
  [{ visionLayers: 12 }, /visionLayers must be four numbers from 1 to 1000/],
  [{ visionWidth: 15 }, /visionWidth must be even/],
  [{ visionPatchSize: 8 }, /visionLayers must be a whole number from 1 to 1000/],
  [{ visionPatchSize: 8, visionLayers: 2 }, /visionWidth must be a multiple of 64, or visionHeads be given/],
  [{ visionPatchSize: 7, visionLayers: 2, visionWidth: 64 }, /visionPatchSize must be a divisor of imageSize, 64/],
  [{ vocabularySize: undefined as unknown as number }, /vocabularySize.*undefined/],
])('the configuration %j is refused', (wrong, message) => {
  expect(() => checkConfig({ ...configs.tiny, ...wrong })).toThrow(expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringMatching(message) }));
});
