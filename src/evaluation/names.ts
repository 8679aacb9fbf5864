import type { Classes } from '../data/classes';
import { cleanText } from '../text/cleaning';

/** Names without repetitions, and the place of each original name among them. */
export interface DistinctNames {
  names: string[];
  /** index into `names` for each class, [classes] */
  places: number[];
}

/**
 * Merges classes of equal name, as zero-shot classification must. Equal names have equal embeddings, so the order of
 * their scores has no meaning. Names are equal when the model reads them alike: after `cleanText`, whatever their case.
 */
export function distinctNames(classes: Classes['classes']): DistinctNames {
  const found = new Map<string, number>();
  const names: string[] = [];
  const places = classes.map((name) => {
    const key = nameKey(name);
    const place = found.get(key) ?? names.push(name) - 1;
    found.set(key, place);
    return place;
  });
  return { names, places };
}

/** Returns the indices of the classes that share the name of one class, in order. */
export function namesakes(classes: Classes['classes'], index: number): number[] {
  const wanted = nameKey(classes[index]);
  return classes.flatMap((name, i) => (i === index || nameKey(name) === wanted ? [i] : []));
}

/** Returns a key that is equal for names that the model reads alike. */
export const nameKey = (name: string): string => cleanText(name).toLowerCase();
