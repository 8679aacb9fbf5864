import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

import { type BadRows, leaveOut } from '../data/bad_rows';
import type { PairColumns, PairTable } from '../data/pairs';
import { decodeText } from '../data/samples';
import { sampleKey, type ShardSample, writeShards } from '../data/shard_writer';
import { optionError } from '../errors';
import { removeLeftoversOf } from '../files';
import { writeFolderWhole } from '../folders';
import { faultOf } from '../images/faults';
import { formatOf } from '../images/format';
import { parseMember, readMember } from '../images/members';
import { readImageFile } from '../images/read_file';
import type { JobHooks } from '../progress';
import { type PoisonedSet, writeOriginals, type WrittenSet } from './poisoned_csv';
import { checkStopped } from './triggered';

const PER_SHARD = 10_000;

/** The setting as the name of a folder of shards, without the characters that mean something in a name of shards. */
export const setOfShards = (setting: string): string => setting.replaceAll(/[{}*:]/g, '-');

/**
 * Writes a poisoned set as tars of a WebDataset, see `runPoison`. Rows whose image has been deleted are left out.
 *
 * @param shards the files of the clean set
 * @throws CleanclipError ERR_OPTION: the folder of the tars holds other files, or a shard of the clean set; ERR_DATA: a
 * file cannot be written, or a shard was changed meanwhile; also what `set.images` throws
 */
export async function writeShardSet(
  set: PoisonedSet,
  shards: readonly string[],
  options: PairColumns & { imageFormat?: 'png' | 'jpg' },
  { onProgress, signal }: JobHooks,
): Promise<WrittenSet> {
  const { table, size } = set;
  const target = join(set.folder, `backdoor_${set.setting}`);
  checkReplaceable(target, shards);
  removeLeftoversOf(target);
  const badRows: BadRows = { ...table.badRows, examples: [...table.badRows.examples] };
  const poisoned: number[] = [];
  async function* samples(): AsyncGenerator<ShardSample> {
    let done = 0;
    const count = (): void => {
      done++;
      if (done <= poisoned.length || done % 100 === 0 || done === size)
        onProgress?.({ type: 'progress', done, total: size, text: 'samples written' });
    };
    for await (const { row, bytes } of set.images) {
      const source = nameOf(table, row);
      yield sampleOf(done, bytes, options.imageFormat ?? 'png', [set.caption(row)], { is_backdoor: true, source });
      poisoned.push(row);
      count();
    }
    for (const row of set.selection.untouched(poisoned)) {
      checkStopped(signal);
      const bytes = await bytesOf(table, row, badRows);
      if (bytes === undefined) continue;
      const facts = { is_backdoor: table.isBackdoor(row), source: nameOf(table, row) };
      yield sampleOf(done, bytes, formatOf(bytes) ?? 'jpg', table.captions(row), facts);
      count();
    }
  }
  let originalCsv = '';
  const fill = async (temporary: string): Promise<void> => {
    await writeShards(temporary, samples(), PER_SHARD);
    originalCsv = writeOriginals(set, poisoned, options);
  };
  await writeFolderWhole(target, fill, { replace: true });
  return { trainData: join(target, '*.tar'), originalCsv, leftOut: badRows };
}

/** Refuses to replace a folder that holds anything but an earlier set. */
function checkReplaceable(target: string, shards: readonly string[]): void {
  const own = shards.find((file) => dirname(resolve(file)) === target);
  if (own !== undefined)
    throw optionError(`'${own}' lies in '${target}', which would be replaced; move it into another folder.`);
  const other = existsSync(target) ? readdirSync(target).find((name) => !/^\d{5,}\.tar$/.test(name)) : undefined;
  if (other !== undefined)
    throw optionError(
      `'${target}' is to be replaced, but it also holds '${other}', which poison did not write; move the folder ` +
        'away, or delete it.',
    );
}

/** The name of the image in its shard, or its path. */
const nameOf = (table: PairTable, row: number): string => {
  const field = table.imageField(row);
  return parseMember(field)?.name ?? field;
};

/** The bytes of an untouched image; undefined if its file is missing, which is counted. */
async function bytesOf(table: PairTable, row: number, badRows: BadRows): Promise<Uint8Array | undefined> {
  const image = table.image(row);
  const member = parseMember(image);
  if (member !== undefined) return readMember(member, Infinity);
  try {
    return await readImageFile(image, Infinity);
  } catch (error) {
    if (faultOf(error) === 'machine') throw error;
    const reason = `its image ${basename(image)} cannot be read`;
    leaveOut(badRows, { line: row + 1, byte: 0, where: `${image}, usable row ${row + 1}`, reason });
    return undefined;
  }
}

/** A sample whose captions are read as they were. A .txt cannot hold several, nor line ends at its end. */
function sampleOf(
  index: number,
  image: Uint8Array,
  extension: string,
  captions: string[],
  facts: { is_backdoor: boolean; source: string },
): ShardSample {
  const [first] = captions;
  const found = decodeText(Buffer.from(first));
  const isPlain = captions.length === 1 && 'value' in found && found.value === first;
  const caption = captions.length > 1 ? captions : first;
  return {
    key: sampleKey(index),
    files: {
      [extension]: image,
      ...(isPlain && { txt: first }),
      json: JSON.stringify(isPlain ? facts : { caption, ...facts }),
    },
  };
}
