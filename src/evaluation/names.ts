import type { Classes } from '../data/classes';
import { cleanText } from '../text/cleaning';

/** A list of names without repetitions, and the place in it of each name of the list that it was made of. */
export interface DistinctNames {
  names: string[];
  /** [classes] */
  places: number[];
}

/**
 * Takes classes of equal name for one, as zero-shot classification must: equal names have equal embeddings, and which
 * of them comes first says nothing. Names are equal when the model reads them alike: after `cleanText`, in whatever
 * case.
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

/** The classes that have the name of one of them, in order. */
export function namesakes(classes: Classes['classes'], index: number): number[] {
  const wanted = nameKey(classes[index]);
  return classes.flatMap((name, i) => (i === index || nameKey(name) === wanted ? [i] : []));
}

/** What is equal of names that the model reads alike. */
export const nameKey = (name: string): string => cleanText(name).toLowerCase();
