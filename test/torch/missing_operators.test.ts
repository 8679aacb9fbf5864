import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { packageRoot } from '../../src/paths';
import { torch } from '../../src/torch';
import { addon } from '../../src/torch/addon';
import { typedOperators, typesVersion } from '../../src/torch/operator_names.gen';

// As if the types were those of a later libtorch: it has three operators more than any that exists.
jest.mock('../../src/torch/operator_names.gen', () => {
  const actual: { typedOperators: string } = jest.requireActual('../../src/torch/operator_names.gen');
  const later = 'aten::of_later\naten::_foreach_of_later\nc10d::of_later';
  return { typesVersion: '2.99.0', typedOperators: `${actual.typedOperators}\n${later}` };
});

const { typesVersion: generatedFrom, typedOperators: generated } = jest.requireActual<{
  typesVersion: string;
  typedOperators: string;
}>('../../src/torch/operator_names.gen');

const missing = (name: string): { code: string; message: string } => ({
  code: 'ERR_TORCH',
  message:
    `libtorch ${addon().libtorchVersion()} has no operator '${name}'. The types list it because libtorch ` +
    `${typesVersion} has it: set LIBTORCH to its folder and run "npx cleanclip setup".`,
});

/** Calls what is no member of the types. */
const call = (owner: object, name: string, ...args: unknown[]): unknown =>
  (owner as Record<string, (...args: unknown[]) => unknown>)[name](...args);

describe('an operator that the types declare and libtorch lacks is an error that names both versions', () => {
  const x = torch.ones([2]);

  test('as a function of torch', () => {
    expect(() => call(torch, 'of_later', x)).toThrow(expect.objectContaining(missing('aten::of_later')));
  });

  test('as a method', () => {
    expect(() => call(x, 'of_later')).toThrow(expect.objectContaining(missing('aten::of_later')));
  });

  test('in torch.ops', () => {
    const name = '_foreach_of_later';
    expect(() => call(torch.ops.aten, name, [x])).toThrow(expect.objectContaining(missing(`aten::${name}`)));
    expect(() => call(torch.ops.c10d, 'of_later', x)).toThrow(expect.objectContaining(missing('c10d::of_later')));
  });

  test('only when it is called: looking for it is none', () => {
    expect(typeof torch['of_later' as 'add']).toBe('function');
    expect(typeof x['of_later' as 'add']).toBe('function');
    expect(torch['of_no_version' as 'add']).toBeUndefined();
    expect(x['of_no_version' as 'add']).toBeUndefined();
  });
});

test('every typed operator can be called or gives that error, on any libtorch', () => {
  const there = new Set(addon().operatorNames());
  const x = torch.ones([2]);
  const lacked = typedOperators.split('\n').filter((name) => !there.has(name));
  const substituted = ['aten::is_contiguous', 'aten::numel', 'aten::storage_offset'];
  for (const name of lacked.filter((name) => !substituted.includes(name))) {
    const [namespace, key] = name.split('::');
    expect(() => call(torch.ops[namespace as 'aten'], key)).toThrow(expect.objectContaining(missing(name)));
    if (namespace !== 'aten') continue;
    expect(() => call(torch, key)).toThrow(expect.objectContaining(missing(name)));
    expect(() => call(x, key)).toThrow(expect.objectContaining(missing(name)));
  }
  if (addon().libtorchVersion() === generatedFrom) expect(lacked).toHaveLength(3);
  expect(generated.split('\n').length).toBeGreaterThan(1300);
});

test('the names are those of the types, which say their version', () => {
  const types = readFileSync(join(packageRoot, 'src/torch/operators.gen.ts'), 'utf8');
  expect(types).toContain(`operator schemas of libtorch ${generatedFrom};`);
  const declared = /export interface atenOperators \{(.*?)\n\}/s.exec(types)![1].match(/^ {2}\w+(?=\()/gm)!;
  const names = [...new Set(declared.map((name) => `aten::${name.trim()}`))].sort();
  expect(generated.split('\n').filter((name) => name.startsWith('aten::'))).toEqual(names);
});
