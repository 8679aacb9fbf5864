import { loadClip } from '../../src/clip/model';
import { miniModel } from '../support/pairs';

// What callers give by mistake ends in a CleanclipError with a sentence, whatever it is.
type Odd = Parameters<typeof loadClip>[0];
const cyclic: Record<string, unknown> = {};
cyclic.self = cyclic;
const hostile = new Proxy(
  {},
  {
    get: () => {
      throw new Error('no');
    },
    ownKeys: () => {
      throw new Error('no');
    },
  },
);

const refused = (call: () => unknown, message: RegExp): void => {
  expect(call).toThrow(
    expect.objectContaining({ name: 'CleanclipError', code: 'ERR_OPTION', message: expect.stringMatching(message) }),
  );
};

test.each<[string, unknown]>([
  ['undefined', undefined],
  ['null', null],
  ['a number', 3],
  ['NaN', NaN],
  ['a BigInt', 10n],
  ['a symbol', Symbol('s')],
  ['a function', () => 1],
  ['true', true],
  ['an empty text', ''],
  ['a list', [1]],
  [
    'a list in itself',
    (() => {
      const list: unknown[] = [];
      list.push(list);
      return list;
    })(),
  ],
])('loadClip(%s)', (_, source) => {
  refused(() => loadClip(source as Odd), /^The model must be a name, a path or a configuration, but it is /);
});

test.each<[string, unknown]>([
  ['an empty object', {}],
  ['an object in itself', cyclic],
  ['a BigInt in it', { ...miniModel, embedDim: 32n }],
  ['a symbol in it', { ...miniModel, visionWidth: Symbol('s') }],
  ['a function in it', { ...miniModel, textHeads: () => 1 }],
  ['a cycle in it', { ...miniModel, visionLayers: cyclic }],
  ['null in it', { ...miniModel, textLayers: null }],
  ['a text in it', { ...miniModel, imageSize: '32' }],
  ['a text for a switch', { ...miniModel, textCausal: 'yes' }],
  ['another activation', { ...miniModel, activation: 'relu' }],
  ['one number for the mean', { ...miniModel, imageMean: 0.5 }],
  ['NaN in the mean', { ...miniModel, imageMean: [0.5, NaN, 0.5] }],
  ['an std of 0', { ...miniModel, imageStd: [1, 0, 1] }],
  ['a Map', new Map()],
  ['a Date', new Date(NaN)],
  ['bytes', new Uint8Array(3)],
])('loadClip({…}) with %s', (_, source) => {
  refused(() => loadClip(source as Odd), /^The model configuration's \w+ must be .*, but it is /);
});

test('loadClip of what cannot be looked at', () => {
  expect(() => loadClip(hostile as Odd)).toThrow();
});

test.each<[string, unknown]>([
  ['null', null],
  ['a number', 1],
  ['a BigInt', 1n],
  ['a text', 'x'],
  ['a list', []],
  ['a function', () => 1],
])('loadClip(…, %s)', (_, options) => {
  refused(() => loadClip(miniModel, options as object), /^The options of loadClip must be an object, but they are /);
});

test.each<[object, RegExp]>([
  [{ pretrained: 1n }, /^pretrained must be true, false or a path, but it is 1n/],
  [{ pretrained: cyclic }, /^pretrained must be true, false or a path/],
  [{ activation: 'relu' }, /^activation must be 'quick_gelu' or 'gelu', but it is 'relu'/],
  [{ activation: 1n }, /^activation must be/],
  [{ precision: Symbol('s') }, /^precision must be 'fp32', 'bf16' or 'fp16', but it is Symbol\(s\)/],
  [{ device: 0 }, /^device must be a string/],
])('loadClip(…, %p)', (options, message) => {
  refused(() => loadClip(miniModel, options), message);
});

test.each(['/none.pt', 'RN51', 'a\0b', '__proto__', 'constructor', 'toString'])(
  'loadClip(%j), which is nothing that there is',
  (name) => {
    refused(() => loadClip(name), /^The model must be one of RN50, .*but there is no file '/);
  },
);

test.each(['x', NaN, 1.5, Symbol('s'), cyclic])('loadClip(…, {"seed": %p})', (seed) => {
  expect(() => loadClip(miniModel, { seed: seed as number })).toThrow(
    expect.objectContaining({
      name: 'CleanclipError',
      code: expect.stringMatching(/^ERR_/),
      message: expect.stringMatching(/^A seed is an integer/),
    }),
  );
});
