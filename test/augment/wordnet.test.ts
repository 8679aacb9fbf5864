import { synonyms } from '../../src/augment/wordnet';

describe('synonyms', () => {
  test('come from every part of speech, spelled with letters and spaces', () => {
    expect(synonyms('dog')).toEqual(expect.arrayContaining(['hound', 'hot dog', 'canis familiaris', 'give chase']));
    expect(synonyms('dog').every((synonym) => /^[a-z ]+$/.test(synonym))).toBe(true);
  });

  test.each([
    ['dogs', 'dog'],
    ['churches', 'church'],
    ['men', 'man'],
    ['children', 'kid'],
    ['geese', 'goose'],
    ['running', 'run'],
    ['went', 'travel'],
    ['bigger', 'large'],
  ])('%s has %s', (word, synonym) => expect(synonyms(word)).toContain(synonym));

  test('do not contain the word itself or empty names', () => {
    expect(synonyms('Small')).not.toContain('small');
    expect(synonyms('one')).not.toContain('');
  });

  test.each(['xyzzyq', '', 'été', 'two words'])('there are none of %p', (word) => expect(synonyms(word)).toEqual([]));
});
