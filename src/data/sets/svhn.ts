import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

import { dataError } from '../../errors';
import { writeFileWhole } from '../../files';
import { recordAddress } from '../../images/records';
import { cacheFolder } from '../../paths';
import { MatNumbers, type MatValue } from '../matlab';
import { readMatFile } from './mat_file';
import { ImageList, type LabelledImages, readBytes } from './reading';

const side = 32;
const recordBytes = 3 * side * side;

/**
 * Reads SVHN's cropped digits: `X`, uint8 [32, 32, 3, N], and `y`, [N], in which 10 stands for the digit 0. Compressed
 * pixels are unpacked once to a file in the project's cache, so that the loading threads need no copies.
 */
export async function readSvhn(file: string, classes: number): Promise<LabelledImages> {
  const bytes = readBytes(file);
  const variables = await readMatFile(bytes, file);
  const pixels = numbers(variables.get('X'));
  const labels = numbers(variables.get('y'));
  const count = labels?.length ?? 0;
  const shape = [...(pixels?.dims ?? []), 1].slice(0, 4); // MATLAB drops a last dimension of 1
  if (!pixels?.isBytes || !labels || shape.join() !== [side, side, 3, count].join()) {
    throw dataError(`${file}: expected the variables X, bytes [32, 32, 3, images], and y, a label for each image.`);
  }
  const inPlace = pixels.bytes.buffer === bytes.buffer;
  const from = inPlace
    ? { file, start: pixels.bytes.byteOffset - bytes.byteOffset }
    : { file: unpacked(file, pixels.bytes), start: 0 };
  const list = new ImageList(classes);
  for (let record = 0; record < count; record++) {
    const offset = from.start + record * recordBytes;
    const label = labels.at(record);
    list.add(
      recordAddress({ file: from.file, record, offset, width: side, height: side, order: 'columns' }),
      label === 10 ? 0 : label,
      file,
      'record',
      record,
    );
  }
  return list.finish(file);
}

const numbers = (value: MatValue | undefined): MatNumbers | undefined =>
  value instanceof MatNumbers ? value : undefined;

/**
 * Writes the unpacked pixels to a file in the cache, unless it exists, and returns its path. The name depends on the
 * path, size and time of the set's file, so a changed file is unpacked again.
 */
function unpacked(file: string, pixels: Buffer): string {
  const { size, mtimeMs } = statSync(file);
  const key = createHash('sha256')
    .update(`${resolve(file)}\0${size}\0${mtimeMs}`)
    .digest('hex')
    .slice(0, 16);
  const raw = join(cacheFolder(), 'unpacked', `${basename(file, '.mat')}-${key}.bin`);
  try {
    if (!existsSync(raw) || statSync(raw).size !== pixels.length) writeFileWhole(raw, pixels);
    return raw;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw dataError(
      `The images of ${file} could not be unpacked to ${raw} (${code}): free room there, or name another folder ` +
        'with CLEANCLIP_CACHE.',
      error,
    );
  }
}
