import * as cc from '../src/public';

const { torch, CleanclipError } = cc;

const cyclic: Record<string, unknown> = {};
cyclic.self = cyclic;
const cyclicList: unknown[] = [];
cyclicList.push(cyclicList);

/** What callers give by mistake. */
const odd = [
  ...[undefined, null, 0, -1, 1.5, NaN, Infinity, 1e300, 10n, Symbol('s'), '', 'x', 'a\0b', true, () => 1],
  ...[
    [],
    [undefined],
    [Symbol('s')],
    [1n],
    {},
    Object.create(null),
    cyclic,
    cyclicList,
    new Map(),
    new Date(NaN),
    new Uint8Array(3),
    Promise.resolve(1),
  ],
];

const image = torch.zeros([3, 32, 32], { dtype: 'uint8' });
const features = torch.ones([4, 8]);
const scale = torch.tensor(1);
const clip = cc.loadClip('tiny', { seed: 1 });
const pairs = { imageEmbeds: features, textEmbeds: features, logitScale: scale };

type Call = [name: string, call: (...args: never[]) => unknown, args: unknown[]];

/** Functions, and arguments that they take; each in turn is replaced, and so is each entry of an object. */
const calls: Call[] = [
  ['autoAugment', cc.autoAugment, [image, { seed: 1 }]],
  ['autoAugmentOp', cc.autoAugmentOp, [image, 'Rotate', 3]],
  ['eda', cc.eda, ['a cat sits', { seed: 1 }]],
  [
    'applyTrigger',
    cc.applyTrigger,
    [
      image,
      { patchType: 'random', patchLocation: 'random', patchSize: 4, seed: 1, noise: undefined, triggerMode: 'fixed' },
    ],
  ],
  [
    'makeTrigger',
    cc.makeTrigger,
    [{ imageSize: 32, patchSize: 4, patchType: 'yellow', patchLocation: 'random', seed: 1 }],
  ],
  ['normalize', cc.normalize, [image]],
  ['preprocess', cc.preprocess, ['/none.png', { size: 32 }]],
  ['resizeCrop', cc.resizeCrop, [image, 16]],
  ['cleanText', cc.cleanText, ['a']],
  ['tokenize', cc.tokenize, ['a', { contextLength: 9 }]],
  ['readLabelledSet', cc.readLabelledSet, ['/none', { dataType: 'CIFAR10', split: 'test' }]],
  ['readPairs', cc.readPairs, ['/none.csv', { imageKey: 'image', delimiter: ',' }]],
  [
    'PairLoader',
    (...args: unknown[]) => Reflect.construct(cc.PairLoader, args) as object,
    [{}, { batchSize: 2, size: 32 }],
  ],
  ['train', cc.train, [{ trainData: '/none.csv', name: '../x', onProgress: undefined, signal: undefined, epochs: 1 }]],
  ['finetune', cc.finetune, [{ trainData: '/none.csv', name: '../x' }]],
  ['evaluate', cc.evaluate, [{ name: '../x', validationData: '/none.csv' }]],
  ['poison', cc.poison, [{ trainData: '/none.csv', numBackdoor: 0, label: 'a' }]],
  ['download', cc.download, [{ file: '/none', dir: '/none/x', start: 0, allowPrivate: false }]],
  ['prepare', cc.prepare, [{ set: 'mscoco', input: '/none', images: '/none' }]],
  ['plot', cc.plot, [{ embeddings: ['/none'], method: 'pca', output: '/none/plot' }]],
  ['report', cc.report, [{ runs: ['/none'], output: '/none/report.html' }]],
  ['convert', cc.convert, [{ input: '/none', output: '/none', to: 'none' }]],
  [
    'cleanClipLoss',
    cc.cleanClipLoss,
    [{ ...pairs, augmentedImageEmbeds: features, augmentedTextEmbeds: features, clipWeight: 1 }],
  ],
  ['contrastiveLoss', cc.contrastiveLoss, [features, features, scale]],
  ['lossOverRanks', cc.lossOverRanks, [pairs, { counts: [4] }]],
  ['unlearnLoss', cc.unlearnLoss, [{ ...pairs, isBackdoor: [true, false, false, false], target: 0 }]],
  [
    'AdamW',
    (...args: unknown[]) => Reflect.construct(cc.AdamW, args) as object,
    [[{ parameters: [features], weightDecay: 0 }], { lr: 1 }],
  ],
  ['Random', (...args: unknown[]) => Reflect.construct(cc.Random, args) as object, [1, 2]],
  ['cosineSchedule', cc.cosineSchedule, [1, 2, 3]],
  ['clip.encodeImage', (...args: [never]) => clip.encodeImage(...args), [image]],
  ['clip.encodeText', (...args: [never]) => clip.encodeText(...args), [image]],
  ['clip.forward', (...args: [never, never]) => clip.forward(...args), [image, image]],
  ['clip.loadStateDict', (...args: [never]) => clip.loadStateDict(...args), [{}]],
  ['torch.tidy', torch.tidy, [() => 1]],
  ['torch.keep', torch.keep, [features]],
  ['torch.noGrad', torch.noGrad, [() => 1]],
  ['torch.autocast', torch.autocast, [{ dtype: 'bfloat16' }, () => 1]],
  ['torch.profile', torch.profile, [() => 1]],
  ['torch.setNumThreads', torch.setNumThreads, [0]],
  ['torch.save', torch.save, [() => 1, '/dev/null/a.pt']],
  ['torch.saveAsync', torch.saveAsync, [() => 1, '/dev/null/a.pt']],
  ['tensor.to', (...args: [never]) => features.to(...args), ['cpu']],
];

/** The argument lists of a function with one thing wrong in each. */
function* wrongArguments(args: unknown[]): Generator<unknown[]> {
  yield [];
  for (const value of odd) {
    for (const [i, right] of args.entries()) {
      yield Object.assign([...args], { [i]: value });
      if (typeof right !== 'object' || right === null || Object.getPrototypeOf(right) !== Object.prototype) continue;
      for (const key of Object.keys(right)) yield Object.assign([...args], { [i]: { ...right, [key]: value } });
    }
  }
}

afterAll(() => clip.dispose());

test.each(calls)('whatever %s is given, what it throws is a CleanclipError with a code', async (_, call, args) => {
  for (const wrong of wrongArguments(args)) {
    const thrown = await Promise.resolve()
      .then(() => call(...(wrong as never[])))
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    if (thrown === undefined) continue;
    expect(thrown).toBeInstanceOf(CleanclipError);
    expect(thrown).toMatchObject({
      code: expect.stringMatching(/^ERR_[A-Z_]+$/),
      message: expect.stringMatching(/^.{10,2000}$/s),
    });
  }
});

test("an error of the caller's own code goes through", () => {
  const own = new Error('mine');
  expect(() =>
    torch.tidy(() => {
      throw own;
    }),
  ).toThrow(own);
});
