import { existsSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

import { files, pages, read, root, withoutCode } from './pages';

/** Every folder of the repository, as a path from its root. */
const folders = new Set(files.flatMap((file) => ancestors(file)));

function ancestors(file: string): string[] {
  const parts = file.split('/').slice(0, -1);
  return parts.map((_, i) => parts.slice(0, i + 1).join('/'));
}

/** The anchor that GitHub gives a heading. */
const slug = (heading: string): string =>
  heading
    .replace(/[`*]/g, '')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');

const anchors = (page: string): string[] =>
  [...withoutCode(page).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => slug(heading));

test.each(pages)('every relative link of %s leads to a file and an anchor', (page) => {
  const targets = [...withoutCode(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target);
  const broken = targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const [path, anchor] = target.split('#');
      const file = path === '' ? page : normalize(join(dirname(page), path));
      if (!existsSync(join(root, file))) return true;
      return anchor !== undefined && !(statSync(join(root, file)).isFile() && anchors(file).includes(anchor));
    });
  expect(broken).toEqual([]);
});

/** What the repository's folders are called: a path that begins with one of them is meant to be there. */
const tops = ['src', 'test', 'native', 'docs', 'bench', 'scripts', 'data', 'bin', 'examples', '.ci'];
/** Made by a build, a run or the user. */
const made = /^(docs\/reference|build|dist|logs)(\/|$)/;

test.each(pages)('every path that %s names in code exists', (page) => {
  const named = [...withoutCode(page).matchAll(/`([^`\n]+)`/g)].flatMap(([, code]) =>
    code.split(/[\s(),;]+/).filter((word) => tops.some((top) => word.startsWith(`${top}/`))),
  );
  const missing = named
    .map((word) => word.replace(/:\d+(-\d+)?$/, '').replace(/\/$/, ''))
    .filter((path) => !made.test(path) && !exists(path));
  expect(missing).toEqual([]);
});

/** Whether a path is there: a file, a folder, a pattern of files, or what `npx jest` takes, the beginning of a path. */
function exists(path: string): boolean {
  if (folders.has(path) || files.includes(path)) return true;
  if (/[<…]/.test(path)) return true;
  if (path.includes('*')) {
    const pattern = new RegExp(`^${path.split('*').map(escape).join('[^/]*')}$`);
    return files.some((file) => pattern.test(file));
  }
  return path.startsWith('test/') && files.some((file) => file.startsWith(`${path}.`));
}

const escape = (text: string): string => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&');

test('the README is at most 110 lines', () => {
  expect(read('README.md').trimEnd().split('\n').length).toBeLessThanOrEqual(110);
});

test('the index of docs/ has every page', () => {
  const linked = [...read('docs/README.md').matchAll(/\]\(([\w.]+\.md)\)/g)].map(([, page]) => `docs/${page}`);
  const written = files.filter((file) => /^docs\/\w+\.md$/.test(file) && file !== 'docs/README.md');
  expect(written.filter((page) => !linked.includes(page))).toEqual([]);
});

test('ARCHITECTURE.md says what every room is for', () => {
  const rows = [...read('ARCHITECTURE.md').matchAll(/^\| (`.*?`) +\|/gm)].flatMap(([, cell]) =>
    [...cell.matchAll(/`([\w/]+?)\/?`/g)].map(([, room]) => room),
  );
  const rooms = [...folders]
    .filter((folder) => /^(src|native)\/\w+$/.test(folder))
    .map((folder) => folder.replace(/^src\//, ''));
  expect(rooms.filter((room) => !rows.includes(room))).toEqual([]);
  expect(rows.filter((row) => !folders.has(row) && !folders.has(`src/${row}`))).toEqual([]);
});
