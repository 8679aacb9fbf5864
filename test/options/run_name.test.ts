import { join } from 'node:path';

import { resolve } from '../../src/options/define';
import { trainOptions } from '../../src/options/train';

const named = (name: string): string => resolve(trainOptions, { name }).name;

test.each(['a', 'group/a', 'a/../b', '..a', 'é 你', 'a'.repeat(255)])('%p is a folder below that of all runs', (name) => {
  expect(named(name)).toBe(name);
});

test.each(['../other', '/tmp/other', '', '.', './', 'a/..', 'a/../../b', 'a\0b', 'a\nb', join('a', 'b'.repeat(256)), 'é'.repeat(128)])('%p is none', (name) => {
  expect(() => named(name)).toThrow(expect.objectContaining({ code: 'ERR_OPTION', message: `--name must be the name of a folder below --logs, but is '${name}'.` }));
});
