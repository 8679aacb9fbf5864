import { join } from 'node:path';

import { resolve } from '../../src/options/define';
import { trainOptions } from '../../src/options/train';

const named = (name: string): string => resolve(trainOptions, { name }).name;

test.each(['a', 'group/a', 'a/../b', '..a', 'é 你', 'a'.repeat(255)])(
  '%p is a folder below that of all runs',
  (name) => {
    expect(named(name)).toBe(name);
  },
);

const refused: [name: string, shown: string][] = [
  ...['../other', '/tmp/other', '', '.', './', 'a/..', 'a/../../b'].map((name): [string, string] => [name, name]),
  ['a\0b', 'a\\x00b'],
  ['a\nb', 'a\\x0ab'],
  [join('a', 'b'.repeat(256)), `a/${'b'.repeat(78)}…`],
  ['é'.repeat(128), `${'é'.repeat(80)}…`], // 256 bytes
];

test.each(refused)('%p is none', (name, shown) => {
  expect(() => named(name)).toThrow(
    expect.objectContaining({
      code: 'ERR_OPTION',
      message: `--name must be the name of a folder below --logs, but is '${shown}'.`,
    }),
  );
});
