import { readFileSync } from 'node:fs';

/** One artist's drawing of a concept: the inside of an SVG, `width` × `height` units large. */
export interface Drawing {
  artist: string;
  body: string;
  width: number;
  height: number;
}

/** A thing to recognise, with every artist's drawing of it. */
export interface Concept {
  /** The class name, for example `hot pepper`. */
  name: string;
  /** What people say for short: `cat` for `cat face`, `bowl` for `bowl with spoon`; else the name itself. */
  shortName: string;
  /** What kind of thing it is: `animals and nature`, `food and drink`. */
  keyword: string;
  /** One drawing for each of {@link artists}, in that order. */
  drawings: Drawing[];
  /** A fifth artist's drawing, where there is one; settings are chosen on these. */
  validation?: Drawing;
}

/** The icon sets that draw all the concepts. */
export const artists = ['noto', 'twemoji', 'openmoji', 'fluent-emoji-flat'] as const;

/** The older set whose drawings are neither trained on nor tested on. */
const validationArtist = 'emojione';

const categories = ['Animals & Nature', 'Food & Drink'];

interface IconSet {
  icons: Record<string, { body: string; width?: number; height?: number }>;
  width: number;
  height: number;
}

const readPackage = <T>(artist: string, file: string): T =>
  JSON.parse(readFileSync(require.resolve(`@iconify-json/${artist}/${file}`), 'utf8')) as T;

/** The concepts of two emoji categories that every one of {@link artists} draws, in a fixed order. */
export function readConcepts(): Concept[] {
  const sets = artists.map((artist) => ({ artist, icons: readPackage<IconSet>(artist, 'icons.json') }));
  const validation = readPackage<IconSet>(validationArtist, 'icons.json');
  const named = readPackage<{ categories: Record<string, string[]> }>('noto', 'metadata.json').categories;
  return categories.flatMap((category) =>
    named[category]
      .filter((icon) => sets.every((set) => icon in set.icons.icons))
      .map((icon) => ({
        name: spoken(icon),
        shortName: shortName(spoken(icon)),
        keyword: category.toLowerCase().replace('&', 'and'),
        drawings: sets.map((set) => drawing(set.artist, set.icons, icon)),
        validation: icon in validation.icons ? drawing(validationArtist, validation, icon) : undefined,
      })),
  );
}

function drawing(artist: string, set: IconSet, icon: string): Drawing {
  const { body, width = set.width, height = set.height } = set.icons[icon];
  return { artist, body, width, height };
}

const spoken = (icon: string): string => icon.replaceAll('-', ' ');

const shortName = (name: string): string => name.replace(/ (face|with .*|without .*)$/, '');
