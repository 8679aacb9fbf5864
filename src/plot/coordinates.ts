import { writeCsv } from '../data/csv_writer';
import { readTable } from '../data/table';
import { dataError } from '../errors';
import type { Group, Scatter } from './scatter';

/** A row of a csv of coordinates. */
export interface Coordinate {
  /** title of the panel: the name of the embeddings file, or what the caller calls it */
  panel: string;
  /** number of the row in the embeddings file, from 0 */
  row: number;
  x: number;
  y: number;
  /** place of the group among those of the panel */
  group: number;
  /** path of the image, when the embeddings file has it */
  image: string;
}

const COLUMNS = ['panel', 'row', 'x', 'y', 'group', 'colour', 'symbol', 'hollow', 'image'];

/** Writes the coordinates of a picture, with the look of each group, so that it can be drawn again. */
export function writeCoordinates(file: string, groups: readonly Group[], rows: readonly Coordinate[]): void {
  const fields = ({ panel, row, x, y, group, image }: Coordinate): (string | number)[] => {
    const { name, colour, symbol, hollow } = groups[group];
    return [panel, row, +x.toPrecision(7), +y.toPrecision(7), name, colour ?? '', symbol, hollow ? 1 : 0, image];
  };
  writeCsv(
    file,
    COLUMNS,
    (function* () {
      for (const row of rows) yield fields(row);
    })(),
  );
}

/** Returns the panels of a picture: a scatter for each, with the groups that it has points of. */
export function panelsOf(groups: readonly Group[], rows: readonly Coordinate[]): Scatter[] {
  const panels = new Map<string, [number, number, number][]>();
  for (const { panel, x, y, group } of rows) {
    if (!panels.has(panel)) panels.set(panel, []);
    panels.get(panel)!.push([x, y, group]);
  }
  return Array.from(panels, ([title, points]) => ({ title, groups, points }));
}

/**
 * Reads a csv of coordinates that {@link writeCoordinates} wrote. Columns other than panel, x, y and group may be
 * missing.
 * @throws CleanclipError `ERR_DATA` when it cannot be read, or a coordinate is no number
 */
export async function readCoordinates(file: string): Promise<Scatter[]> {
  const { columns, rows, column } = await readTable(file, ['panel', 'x', 'y', 'group']);
  const at = (name: string): number => columns.indexOf(name);
  const groups = new Map<string, Group & { place: number }>();
  const coordinates = rows.map((fields, i): Coordinate => {
    const [x, y] = ['x', 'y'].map((axis) => {
      const value = fields[column(axis)];
      if (value !== '' && Number.isFinite(Number(value))) return Number(value);
      throw dataError(`${file}: row ${i + 1} has ${axis} '${value}', which is no number; draw the picture again.`);
    });
    const name = fields[column('group')];
    if (!groups.has(name)) groups.set(name, { ...groupOf(name, (key) => fields[at(key)]), place: groups.size });
    return { panel: fields[column('panel')], row: i, x, y, group: groups.get(name)!.place, image: '' };
  });
  if (rows.length === 0) throw dataError(`${file} has no rows: expected the coordinates that cleanclip plot writes.`);
  return panelsOf([...groups.values()], coordinates);
}

function groupOf(name: string, field: (key: string) => string | undefined): Group {
  const [colour, symbol] = [field('colour'), field('symbol')];
  return {
    name,
    colour: colour !== undefined && /^\d{1,3}$/.test(colour) ? Number(colour) : undefined,
    symbol: symbol === 'triangle' || symbol === 'square' || symbol === 'diamond' ? symbol : 'circle',
    hollow: field('hollow') === '1',
  };
}
