import type { Random } from 'cleanclip';

import type { Concept } from './concepts';

/**
 * The forms of a caption, `{}` standing for the name; also the prompts of the zero-shot classifier and of the poison.
 */
export const templates = [
  'a picture of a {}.',
  'a drawing of a {}.',
  'an icon of a {}.',
  'a small {} emoji.',
  'a colorful drawing of a {}.',
  'this is a {}.',
  'a {} on a plain background.',
  'one {}, drawn by an artist.',
];

/**
 * A caption for a picture of the concept: three in four by its name, the others by its short name; half with the
 * keyword.
 */
export function caption(concept: Concept, random: Random): string {
  const name = random.next() < 0.75 ? concept.name : concept.shortName;
  const sentence = random.choice(templates).replace('{}', name);
  return random.next() < 0.5 ? sentence : `${sentence.replace(/\.$/, '')}, ${concept.keyword}.`;
}
