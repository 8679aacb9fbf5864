import { basename } from 'node:path';

import { readTable } from '../data/table';
import { dataError, shown } from '../errors';
import { Random } from '../random';
import type { EmbeddingsFile } from './embeddings_file';
import type { Group } from './scatter';

const CLASSES = 5; // that are drawn by default

/** A point of a picture: a row of the file, with or without the trigger, in a group. */
export interface Member {
  row: number;
  triggered: boolean;
  group: string;
}

/** The groups that pictures may have, in the order of drawing. */
export type Groups = Map<string, Group>;

/** What decides on the points of a picture. */
export interface Choice {
  /** rows that a defence has detected */
  detected?: ReadonlySet<number>;
  classes?: readonly string[];
  maxPoints: number;
  seed: number;
}

const ofPairs: Group[] = [
  { name: 'pairs', colour: 0, symbol: 'circle' },
  { name: 'clean', colour: 0, symbol: 'circle' },
  { name: 'clean (detected)', colour: 4, symbol: 'square' },
  { name: 'detected', colour: 2, symbol: 'diamond' },
  { name: 'poisoned', colour: 1, symbol: 'triangle' },
  { name: 'poisoned (undetected)', colour: 1, symbol: 'triangle' },
  { name: 'poisoned (detected)', colour: 2, symbol: 'diamond' },
  { name: 'triggered', colour: 1, symbol: 'triangle', hollow: true },
];

/**
 * Chooses the points of a picture. A labelled set has some classes by colour, and triangles for the copies with the
 * trigger. Pairs are clean or poisoned, and detected or not.
 * @param groups receives the groups
 * @throws CleanclipError `ERR_DATA` when the file has no class of a name that is asked for, or too few points
 */
export function membersOf(file: EmbeddingsFile, choice: Choice, groups: Groups): Member[] {
  const clean = file.labels === undefined ? pairsOf(file, choice, groups) : imagesOf(file, choice, groups);
  const copies = file.triggered === undefined ? 1 : 2;
  const kept = draw(clean, Math.floor(choice.maxPoints / copies), choice.seed, (row) => file.backdoor?.[row] === true);
  if (kept.length < 3)
    throw dataError(`A picture needs 3 rows at least, but '${shown(file.path)}' has ${kept.length}.`);
  if (file.triggered === undefined) return kept;
  const triggered = kept.map(({ row, group }): Member => {
    const { colour = 0 } = groups.get(group)!;
    const name = file.labels === undefined ? 'triggered' : `${group} (triggered)`;
    if (!groups.has(name))
      groups.set(name, { name, colour: file.labels === undefined ? 1 : colour, symbol: 'triangle', hollow: true });
    return { row, triggered: true, group: name };
  });
  return [...kept, ...triggered];
}

function pairsOf({ images, backdoor }: EmbeddingsFile, { detected }: Choice, groups: Groups): Member[] {
  const members = Array.from({ length: images.shape[0] }, (_, row): Member => {
    const found = detected?.has(row) ? 'detected' : undefined;
    if (backdoor === undefined) return { row, triggered: false, group: found ?? 'pairs' };
    const state = backdoor[row] ? 'poisoned' : 'clean';
    const mark = found ?? (detected !== undefined && backdoor[row] ? 'undetected' : undefined);
    return { row, triggered: false, group: mark === undefined ? state : `${state} (${mark})` };
  });
  const present = new Set(members.map(({ group }) => group));
  for (const group of ofPairs) if (present.has(group.name)) groups.set(group.name, group);
  return members;
}

function imagesOf({ path, labels = [], classes }: EmbeddingsFile, choice: Choice, groups: Groups): Member[] {
  const nameOf = (label: number): string => classes?.[label] ?? `class ${label}`;
  const present = [...new Set(labels)].sort((a, b) => a - b).map(nameOf);
  const missing = choice.classes?.find((name) => !present.includes(name));
  if (missing !== undefined)
    throw dataError(
      `'${shown(path)}' has no images of the class '${shown(missing)}'; its classes are ` +
        `${present.slice(0, 10).join(', ')}${present.length > 10 ? ', …' : ''}.`,
    );
  const chosen = choice.classes ?? present.slice(0, CLASSES);
  for (const name of chosen)
    if (!groups.has(name))
      groups.set(name, { name, colour: [...groups.values()].filter(isClean).length, symbol: 'circle' });
  return labels.flatMap((label, row) =>
    chosen.includes(nameOf(label)) ? [{ row, triggered: false, group: nameOf(label) }] : [],
  );
}

const isClean = ({ symbol }: Group): boolean => symbol === 'circle';

/** Draws at most `most` members by the seed, in their order. Those that come first are taken up to half of it. */
function draw(members: Member[], most: number, seed: number, isFirst: (row: number) => boolean): Member[] {
  if (members.length <= most) return members;
  const random = new Random(seed, 1);
  const first = random.shuffle(members.filter(({ row }) => isFirst(row))).slice(0, Math.floor(most / 2));
  const rest = random.shuffle(members.filter(({ row }) => !isFirst(row))).slice(0, most - first.length);
  return [...first, ...rest].sort((a, b) => a.row - b.row);
}

/**
 * Reads which rows a defence has detected: a csv with a column `row`, the row of the pairs' csv from 0, or `image`, a
 * path as in the file of embeddings or its name. Rows that were not embedded are left out.
 * @returns places of the images
 * @throws CleanclipError `ERR_DATA` when it has neither column, or names a row or image that the file lacks
 */
export async function readDetected(csv: string, file: EmbeddingsFile): Promise<Set<number>> {
  const { columns, rows, column } = await readTable(csv);
  const { path, paths, placeOfRow } = file;
  if (!columns.includes('row')) {
    const at = column('image');
    const known = new Map(paths?.flatMap((image, row) => [[basename(image), row] as const, [image, row] as const]));
    return new Set(
      rows.map((fields) => {
        const place = known.get(fields[at]) ?? known.get(basename(fields[at]));
        if (place !== undefined) return place;
        throw dataError(`'${shown(csv)}' names the image '${shown(fields[at])}', which '${shown(path)}' lacks.`);
      }),
    );
  }
  const at = column('row');
  const last = [...placeOfRow.keys()].reduce((a, b) => Math.max(a, b), 0);
  const places = rows.map((fields) => {
    if (/^\d+$/.test(fields[at]) && Number(fields[at]) <= last) return placeOfRow.get(Number(fields[at]));
    throw dataError(
      `Expected rows from 0 to ${last}, those of '${shown(path)}', in '${shown(csv)}', but it has ` +
        `'${shown(fields[at])}'.`,
    );
  });
  return new Set(places.filter((place) => place !== undefined));
}
