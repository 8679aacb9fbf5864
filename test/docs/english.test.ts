import { type JobCommandName, jobCommands, optionsOf } from '../../src/options/commands';
import { trainOptions } from '../../src/options/train';
import { pages, withoutCode } from './pages';

const LONGEST = 25;

/** The sentences of a page outside tables, headings and code; code within a sentence counts as one word. */
function sentences(page: string): string[] {
  return withoutCode(page)
    .split('\n')
    .filter((line) => !/^\s*(\||#)/.test(line))
    .join('\n')
    .split(/\n\s*\n|\n\s*(?=[-*] |\d+\. )/) // paragraphs and items of lists
    .map((paragraph) =>
      paragraph
        .replace(/!?\[((?:[^\]\\]|\\.)*)\]\([^)]*\)/g, '$1')
        .replace(/``[^`]+``|`[^`]+`/g, 'code')
        .replace(/\b(e\.g|i\.e|et al|vs)\./g, '$1')
        .replace(/\s+/g, ' ')
        .replace(/^[-*] |^\d+\. /, '')
        .replaceAll('*', '')
        .trim(),
    )
    .flatMap((paragraph) => paragraph.split(/(?<=[.!?][)"”]?) (?=\S)/))
    .filter((sentence) => sentence !== '');
}

const words = (sentence: string): number => sentence.split(' ').filter((word) => /[\p{L}\p{N}]/u.test(word)).length;

test.each(pages)(`no sentence of %s has more than ${LONGEST} words`, (page) => {
  const long = sentences(page).filter((sentence) => words(sentence) > LONGEST);
  expect(long.map((sentence) => `${words(sentence)}: ${sentence}`)).toEqual([]);
});

test.each(pages)('no sentence of %s has more than one semicolon or colon', (page) => {
  expect(sentences(page).filter((sentence) => sentence.split(/[;:](?=\s|$)/).length > 2)).toEqual([]);
});

test(`no text of --help has more than ${LONGEST} words`, () => {
  const docs = [trainOptions, ...(Object.keys(jobCommands) as JobCommandName[]).map(optionsOf)]
    .flatMap((table) => Object.entries(table))
    .filter(([name]) => name !== 'eval_data_type') // it lists 18 sets
    .map(([name, { doc }]) => `${name}: ${doc}`);
  expect(docs.length).toBeGreaterThan(80);
  expect(docs.filter((doc) => words(doc) > LONGEST + 1)).toEqual([]);
});
