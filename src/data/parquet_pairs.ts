import { dirname, relative, resolve } from 'node:path';

import { dataError } from '../errors';
import { memberAddress } from '../images/members';
import { reasonAgainst } from './csv_pairs';
import type { Listing } from './listing';
import type { PairTableBuilder } from './pair_table';
import type { ParquetColumns, ParquetImage, ParquetRow } from './parquet_file';
import { ParquetReader, type ParquetThreads } from './parquet_reader';
import { captionsOf, type Found, isMarked, type SampleKeys } from './samples';
import { type UnpackedImages, unpackedImages } from './unpacked_images';

const MOST_BYTES = 1 << 30; // of a column in a row group, which is in memory at once

/**
 * Reads the rows of a parquet file into a table. The column of images holds structures of `bytes` and `path`, as
 * Hugging Face stores them, or bytes, or paths. Images in an uncompressed column are read from their place in the file
 * later; those of a compressed one are unpacked once, into a tar beside the file.
 *
 * @throws CleanclipError ERR_DATA: the file is missing or no parquet, lacks a column, or has a row group that is too
 * large; or the images cannot be unpacked
 */
export async function readParquetPairs(
  file: string,
  keys: SampleKeys,
  table: PairTableBuilder,
  { threads, listing }: { threads: ParquetThreads; listing: Listing },
): Promise<void> {
  const reader = new ParquetReader(file, threads);
  let unpacked: UnpackedImages | undefined;
  try {
    const columns = await checkedColumns(reader, file, keys);
    if (!columns.isPlain) unpacked = await unpackedImages(reader, file, keys.imageKey, listing);
    const { caption, mark } = columns.names;
    const total = await reader.length();
    const wanted = unpacked === undefined ? columns.names : { caption, mark };
    for await (const { row, value, reason } of reader.rows(wanted)) {
      const found = value === undefined ? { reason: reason! } : pairOf(value, unpacked, row, file, table.root);
      if ('value' in found) table.add(found.value.image, found.value.captions, found.value.isBackdoor);
      else table.leaveOut({ line: row + 1, byte: 0, reason: found.reason, where: `${file}, row ${row + 1}` });
      listing.at((row + 1) / total);
    }
  } finally {
    unpacked?.close();
  }
}

/** Finds the columns, and whether images are read from their place. */
async function checkedColumns(
  reader: ParquetReader,
  file: string,
  { imageKey, captionKey }: SampleKeys,
): Promise<{ names: ParquetColumns; isPlain: boolean }> {
  const { columns } = await reader.describe();
  const find = (name: string, flag: string): (typeof columns)[0] => {
    const column = columns.find((each) => each.name === name);
    if (column !== undefined) return column;
    const names = columns.slice(0, 10).map((each) => JSON.stringify(each.name.slice(0, 100)));
    throw dataError(
      `${file} has no column "${name}"; its columns are ${names.join(', ')}${columns.length > 10 ? ', …' : ''}. ` +
        `Name the column with ${flag}.`,
    );
  };
  const image = find(imageKey, '--image_key');
  const caption = find(captionKey, '--caption_key');
  const large = [image, caption].find(({ largest }) => largest > MOST_BYTES);
  if (large !== undefined)
    throw dataError(
      `${file} has a row group whose column "${large.name}" has ${large.largest} bytes: expected at most ` +
        `${MOST_BYTES}; ` +
        'write it with smaller row groups, such as row_group_size=1000 in pyarrow.',
    );
  const mark = columns.some(({ name }) => name === 'is_backdoor') ? 'is_backdoor' : undefined;
  return { names: { image: imageKey, caption: captionKey, mark }, isPlain: !image.hasBytes || image.isPlain };
}

interface Pair {
  image: string;
  captions: string[];
  isBackdoor: boolean;
}

/** @param unpacked the unpacked images of the file, if they are read instead of those in it */
function pairOf(
  { image: own, caption, mark }: ParquetRow,
  unpacked: UnpackedImages | undefined,
  row: number,
  file: string,
  root: string,
): Found<Pair> {
  const image: ParquetImage & { reason?: string } = unpacked?.image(row) ?? own;
  if (image.reason !== undefined) return { reason: image.reason };
  const captions = captionsOf(caption);
  if ('reason' in captions) return captions;
  const marked = isMarked(mark, image.path ?? '');
  if ('reason' in marked) return marked;
  if (image.content !== undefined) return { reason: 'its image is not stored as the file says' };
  if (image.place === undefined) {
    const reason = reasonAgainst(image.path ?? '');
    if (reason !== undefined) return { reason };
    const path = dirname(resolve(file)) === root ? image.path! : resolve(dirname(file), image.path!.trim());
    return { value: { image: path, captions: captions.value, isBackdoor: marked.value } };
  }
  if (image.place.bytes === 0) return { reason: 'its image is empty' };
  const form = unpacked === undefined ? 'parquet' : 'tar';
  const from = relative(root, resolve(unpacked?.file ?? file));
  const address = memberAddress({ file: from, form, ...image.place, name: image.path ?? 'an image without a name' });
  return { value: { image: address, captions: captions.value, isBackdoor: marked.value } };
}
