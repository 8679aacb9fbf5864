import { dataError, optionError } from '../errors';

/** Which columns of the file have captions and URLs, and whether the first row names them. */
export interface Columns {
  caption: number;
  url: number;
  /** number of columns in a row */
  count: number;
  hasHeader: boolean;
}

const CAPTIONS = ['caption', 'text', 'title', 'captions', 'description', 'alt_text', 'alt'];
const URLS = ['url', 'image_url', 'urls', 'link', 'image', 'image_link'];

/** Whether a field is the URL of something that can be downloaded. */
export const isUrl = (field: string): boolean => /^\s*https?:\/\/./i.test(field);

/**
 * Finds the columns of a file from its first rows. CC3M has caption and URL, CC12M URL and caption, both without a
 * header; a first row without a URL is a header.
 * @param rows the first rows of the file
 * @param names the value of `--columns`, if it is given
 * @throws CleanclipError `ERR_OPTION` for wrong names; `ERR_DATA` when the columns cannot be told
 */
export function findColumns(file: string, rows: readonly string[][], names?: string): Columns {
  if (names !== undefined) return namedColumns(rows, names);
  const urls = countUrls(rows);
  const most = Math.max(0, ...urls);
  if (most === 0)
    throw dataError(
      `${file} has no URL in its first ${rows.length} rows: expected lines of caption and URL with a tab between ` +
        'them; another character can be named with --delimiter.',
    );
  const hasHeader = !rows[0].some(isUrl) && rows.length > 1;
  const header = hasHeader ? rows[0].map((name) => name.trim().toLowerCase()) : [];
  const named = URLS.map((name) => header.indexOf(name)).find((column) => column >= 0 && urls[column] > 0);
  const url = named ?? urls.indexOf(most);
  const count = hasHeader ? header.length : commonLength(rows);
  const others = Array.from({ length: count }, (_, i) => i).filter((i) => i !== url);
  const known = CAPTIONS.map((name) => header.indexOf(name)).find((column) => column >= 0);
  if (known === undefined && others.length !== 1)
    throw dataError(
      `${file} has ${count} columns, and which has the captions cannot be told; name all of them in their order, ` +
        'such as --columns caption,url.',
    );
  return { caption: known ?? others[0], url, count, hasHeader };
}

function namedColumns(rows: readonly string[][], text: string): Columns {
  const names = text.split(',').map((name) => name.trim().toLowerCase());
  const [caption, url] = [names.indexOf('caption'), names.indexOf('url')];
  if (caption < 0 || url < 0 || new Set(names).size < names.length)
    throw optionError(
      '--columns must name the columns of the file in their order, caption and url among them, such as caption,url, ' +
        `but is '${text}'.`,
    );
  const hasHeader = rows.length > 0 && rows[0].length > url && !isUrl(rows[0][url]) && rows.slice(1).some(hasUrl(url));
  return { caption, url, count: names.length, hasHeader: hasHeader && isHeader(rows[0], url) };
}

const hasUrl =
  (column: number) =>
  (row: readonly string[]): boolean =>
    isUrl(row[column] ?? '');

/** Whether the field above the URLs is a name, rather than a broken URL. */
const isHeader = (row: readonly string[], url: number): boolean => /^[\w -]{1,40}$/.test(row[url].trim());

/** Counts the URLs of each column. */
function countUrls(rows: readonly string[][]): number[] {
  const counts: number[] = [];
  for (const row of rows) row.forEach((field, i) => (counts[i] = (counts[i] ?? 0) + Number(isUrl(field))));
  return counts;
}

/** The number of fields that most rows have. */
function commonLength(rows: readonly string[][]): number {
  const lengths = new Map<number, number>();
  for (const { length } of rows) lengths.set(length, (lengths.get(length) ?? 0) + 1);
  return [...lengths].reduce((best, each) => (each[1] > best[1] ? each : best))[0];
}
