import { checkText, dataError, optionError } from '../errors';
import { augmentedColumns as findAugmented } from './augmented_columns';
import { columnIndex, readCsv } from './csv';
import type { Listing } from './listing';
import type { PairColumns } from './pair_columns';
import type { PairTable, PairTableBuilder } from './pair_table';

const ROWS_AT_A_TIME = 1000; // then progress is told

/** Name of the column of a csv that holds a JSON list of captions, for rows that have several. */
export const CAPTION_LIST = 'captions_json';

/** Reads the rows of a csv or tsv of pairs into a table; see `readPairs`. */
export async function readCsvPairs(
  file: string,
  { imageKey = 'image', captionKey = 'caption', delimiter = ',', columns, augmentedColumns = false }: PairColumns,
  table: PairTableBuilder,
  listing: Listing,
): Promise<void> {
  listing.next();
  const names = columns === undefined ? undefined : columnNames(columns);
  await readCsv(
    file,
    { delimiter, columns: names },
    (found) => {
      const image = columnIndex(found, imageKey, file, names ? '--columns' : '--image_key');
      const caption = columnIndex(found, captionKey, file, names ? '--columns' : '--caption_key');
      const mark = found.indexOf('is_backdoor');
      const list = found.indexOf(CAPTION_LIST);
      const views = augmentedColumns ? findAugmented(found, imageKey, captionKey, file) : [];
      table.views = views.map(({ name }) => name);
      const viewOf = views.map(({ index }) => index);
      const picture = views.find(({ name }) => name === 'image')?.index;
      return (fields, { line, byte }) => {
        if (line % ROWS_AT_A_TIME === 0) listing.atByte(byte);
        const path = fields[image];
        if (names && line === 1 && path.trim() === imageKey && fields[caption].trim() === captionKey) {
          throw dataError(`${file} has a header: its first row names the columns; leave out --columns.`);
        }
        const reason = reasonAgainst(path);
        if (picture !== undefined && fields[picture].trim() === '')
          return table.leaveOut({ line, byte, reason: 'it names no augmented image' });
        if (reason !== undefined) return table.leaveOut({ line, byte, reason });
        const isBackdoor = mark < 0 ? path.includes('backdoor') : readMark(fields[mark], file, line);
        const several = list < 0 ? undefined : captionList(fields[list]);
        table.add(
          path,
          several ?? fields[caption],
          isBackdoor,
          viewOf.map((index) => fields[index]),
        );
      };
    },
    (row) => table.leaveOut(row),
  );
}

/** Why a row with this image path is left out, as the end of a sentence; undefined if it is not. */
export function reasonAgainst(path: string): string | undefined {
  if (path.trim() === '') return 'it names no image';
  if (/^\s*https?:\/\//i.test(path))
    return 'its image is a URL, and nothing is downloaded; download the images and name their files';
  return undefined;
}

/** The captions of a JSON list; undefined for any other text. */
function captionList(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const list = JSON.parse(text) as unknown[];
    return list.length > 0 && list.every((each) => typeof each === 'string') ? list : undefined;
  } catch {
    return undefined;
  }
}

/** Parses the value of `--columns`. */
function columnNames(text: string): string[] {
  checkText('--columns', text);
  const names = text.split(',').map((name) => name.trim());
  if (names.every((name) => name !== '') && new Set(names).size === names.length) return names;
  throw optionError(
    '--columns must name the columns of the file in their order, such as caption,image, but ' +
      `is ${JSON.stringify(text)}.`,
  );
}

function readMark(mark: string, file: string, line: number): boolean {
  if (/^\s*(1|1\.0|true)\s*$/i.test(mark)) return true;
  if (/^\s*(0|0\.0|false|)\s*$/i.test(mark)) return false;
  throw dataError(`${file}, line ${line}: expected 1, 0, true or false in the column is_backdoor, found "${mark}".`);
}

/** The columns of a csv of pairs that a job writes, which {@link pairFields} fills. */
export const pairColumns = (
  table: PairTable,
  { imageKey = 'image', captionKey = 'caption' }: PairColumns,
): string[] => [imageKey, captionKey, 'is_backdoor', ...(table.hasSeveralCaptions ? [CAPTION_LIST] : [])];

/** The fields of a row, or of what replaces it. */
export function pairFields(
  table: PairTable,
  row: number,
  poisoned?: { image: string; caption: string },
): (string | number)[] {
  const captions = poisoned === undefined ? table.captions(row) : [poisoned.caption];
  const list = captions.length > 1 ? JSON.stringify(captions) : '';
  return [
    poisoned?.image ?? table.imageField(row),
    captions[0],
    Number(poisoned !== undefined || table.isBackdoor(row)),
    ...(table.hasSeveralCaptions ? [list] : []),
  ];
}
