import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { unexportedTypes } from './unexported';

const dist = resolve(__dirname, '../../dist');

test('every type that the public API names is exported', () => {
  expect(unexportedTypes(join(dist, 'index.d.ts'))).toEqual([]);
});

test('a type is missed wherever a signature names it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cleanclip-exports-'));
  const write = (name: string, text: string): void => writeFileSync(join(folder, `${name}.d.ts`), text);
  write('index', "export { f, type Known } from './a';\nexport * as group from './b';\n");
  write(
    'a',
    'export interface Known { deep: Deep }\ninterface Deep { n: number }\n' +
      'type Result = string;\nexport declare function f(x: Known): Promise<Result>;\nexport {};\n',
  );
  write('b', 'export declare class Hidden { private own: Own }\ninterface Own { n: number }\nexport {};\n');
  expect(unexportedTypes(join(folder, 'index.d.ts')).sort()).toEqual([
    'Deep < deep < Known < x < f',
    'Hidden',
    'Result < f',
  ]);
});
