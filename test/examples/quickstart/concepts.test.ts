import { caption, templates } from '../../../examples/quickstart/captions';
import { artists, type Concept, readConcepts } from '../../../examples/quickstart/concepts';
import { Random } from '../../../src/random';

let concepts: Concept[];
const named = (name: string): Concept => concepts.filter((concept) => concept.name === name)[0];
beforeAll(() => {
  concepts = readConcepts();
});

test('at least 200 concepts, banana among them, each once and by every artist', () => {
  expect(concepts.length).toBeGreaterThanOrEqual(200);
  expect(new Set(concepts.map((concept) => concept.name)).size).toBe(concepts.length);
  expect(named('banana')).toBeDefined();
  for (const { drawings } of concepts) {
    expect(drawings.map((drawing) => drawing.artist)).toEqual([...artists]);
    expect(new Set(drawings.map((drawing) => drawing.body)).size).toBe(artists.length);
  }
});

test('enough concepts have a fifth drawing to choose settings on, which is none of the four', () => {
  const fifth = concepts.filter((concept) => concept.validation);
  expect(fifth.length).toBeGreaterThanOrEqual(150);
  for (const { drawings, validation } of fifth)
    expect(drawings.map((drawing) => drawing.body)).not.toContain(validation?.body);
});

test.each([
  ['cat face', 'cat', 'animals and nature'],
  ['bowl with spoon', 'bowl', 'food and drink'],
  ['hot pepper', 'hot pepper', 'food and drink'],
])('%s is %s for short, a kind of %s', (name, shortName, keyword) => {
  expect(named(name)).toMatchObject({ shortName, keyword });
});

test('a caption names the concept, in three of four by its whole name, in half with the keyword', () => {
  const random = new Random(3);
  const captions = Array.from({ length: 4000 }, () => caption(named('cat face'), random));
  expect(captions.every((text) => text.includes('cat'))).toBe(true);
  const share = (words: string): number => captions.filter((text) => text.includes(words)).length / captions.length;
  expect(share('cat face')).toBeCloseTo(0.75, 1);
  expect(share(', animals and nature.')).toBeCloseTo(0.5, 1);
  for (const template of templates)
    expect(share(template.split('{}').reduce((a, b) => (a.length > b.length ? a : b)))).toBeGreaterThan(0.04);
});
