import { checkConfig, type ClipConfig, configFromStateDict, configs } from '../../src/clip/config';
import { Clip } from '../../src/clip/model';
import { shapesOf } from '../../src/clip/weights';

test.each(Object.keys(configs))('the sizes of %s follow from the shapes of its tensors', (name) => {
  using clip = new Clip(configs[name]); // without a seed its memory stays untouched
  expect(configFromStateDict(shapesOf(clip.stateDict()))).toEqual(configs[name]);
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
  expect(configFromStateDict(shapesOf(clip.stateDict()), config)).toEqual(config);
});

test('a state dict of another model is refused', () => {
  expect(() => configFromStateDict({ 'fc.weight': [10, 5], 'fc.bias': [10] })).toThrow(
    expect.objectContaining({ code: 'ERR_CHECKPOINT', message: expect.stringMatching(/ln_final\.weight.*fc\.weight, fc\.bias/) }),
  );
  expect(() => configFromStateDict({})).toThrow(/names are none/);
});

test.each([
  [{ embedDim: 0 }, /embedDim must be a whole number above 0, but it is 0/],
  [{ imageSize: 100 }, /imageSize must be a multiple of 32, but it is 100/],
  [{ textWidth: 1.5 }, /textWidth/],
  [{ textHeads: 3 }, /textHeads must be a divisor of textWidth, 128, but it is 3/],
  [{ visionLayers: [1, 1, 1] }, /visionLayers must be four numbers/],
  [{ visionLayers: 12 }, /visionLayers must be four numbers/],
  [{ visionWidth: 15 }, /visionWidth must be even/],
  [{ visionPatchSize: 8 }, /visionLayers must be a whole number/],
  [{ visionPatchSize: 8, visionLayers: 2 }, /visionWidth must be a multiple of 64/],
  [{ visionPatchSize: 7, visionLayers: 2, visionWidth: 64 }, /visionPatchSize must be a divisor of imageSize, 64/],
  [{ vocabularySize: undefined as unknown as number }, /vocabularySize.*undefined/],
])('the configuration %j is refused', (wrong, message) => {
  expect(() => checkConfig({ ...configs.tiny, ...wrong })).toThrow(expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringMatching(message) }));
});
