import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(__dirname, '../..');

/** The pages that people write and read: those that a script writes are left out. */
export const pages = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'test/fuzz/README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md') && !['flags.md', 'reference.md'].includes(name))
    .map((name) => `docs/${name}`),
];

/** Every file of the repository, as a path from its root; ignored ones are left out. */
export const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(root, file)));

export const read = (page: string): string => readFileSync(join(root, page), 'utf8');

/** A fenced block of code. */
export interface Block {
  page: string;
  /** the number of its first line in the page */
  line: number;
  language: string;
  code: string;
  /** what the block right below says that the code prints */
  prints?: string;
  /** the code in an HTML comment right above the block: what the reader may take as given */
  preamble: string;
}

/** The fenced blocks of a page, in their order. */
export function blocks(page: string): Block[] {
  const text = read(page);
  return [...text.matchAll(/(?:<!--\s*given:\n([^]*?)-->\n+)?^```(\w*)\n([^]*?)^```$/gm)].map((match) => ({
    page,
    line: text.slice(0, match.index + match[0].indexOf('```')).split('\n').length + 1,
    language: match[2],
    code: match[3],
    prints: match[2] === 'sh' ? printedBelow(text.slice(match.index + match[0].length)) : undefined,
    preamble: match[1] ?? '',
  }));
}

/** The block of text that a text begins with. */
const printedBelow = (text: string): string | undefined => /^\n\n```text\n([^]*?)\n```\n/.exec(text)?.[1];

/** A page without its blocks of code and comments. */
export const withoutCode = (page: string): string =>
  read(page)
    .replace(/^```[^]*?^```$/gm, '')
    .replace(/<!--[^]*?-->/g, '');
