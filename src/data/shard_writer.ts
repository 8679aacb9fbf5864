import { join } from 'node:path';
import { crc32 } from 'node:zlib';

import { Header, Pax } from 'tar';

import { optionError } from '../errors';
import { writeChunksWhole } from '../files';
import { checkInteger } from '../integers';
import { BLOCK } from './tar_header';

/** A file for a tar. */
export interface TarFile {
  /** path in the tar */
  path: string;
  content: Uint8Array | string;
}

/** Names a shard by its number, from 0: `00012.tar`. */
export const shardName = (shard: number): string => `${String(shard).padStart(5, '0')}.tar`;

/** Makes the key of a sample from the number of its row. */
export const sampleKey = (row: number): string => String(row).padStart(9, '0');

/** A sample of a WebDataset: files whose paths are the key, a dot and an extension. */
export interface ShardSample {
  /** without a dot in its last part; the key of the sample before must differ */
  key: string;
  /** content of each file by its extension, such as `jpg`, `txt` and `json` */
  files: Record<string, Uint8Array | string>;
}

/**
 * Writes a plain tar, which appears whole or not at all. All times in it are 0, so the same files give the same bytes.
 * @throws CleanclipError ERR_DATA: the file cannot be written; also what `files` throws
 */
export async function writeTar(path: string, files: Iterable<TarFile> | AsyncIterable<TarFile>): Promise<void> {
  await writeChunksWhole(path, blocks(files));
}

/**
 * Writes samples as the shards of a WebDataset: `00000.tar`, `00001.tar`, … in a folder. Each shard appears whole.
 *
 * @param folder is made if needed; shards of these names are replaced
 * @param samples in their order
 * @param perShard number of samples in each shard but the last
 * @returns the paths of the shards
 * @throws CleanclipError ERR_OPTION: a key has a dot or repeats the one before, or `perShard` is not positive;
 * ERR_DATA: a file cannot be written; also what `samples` throws
 */
export async function writeShards(
  folder: string,
  samples: Iterable<ShardSample> | AsyncIterable<ShardSample>,
  perShard: number,
): Promise<string[]> {
  checkInteger('The samples of a shard', perShard, { least: 1 });
  const paths: string[] = [];
  const all = iterate(samples);
  let next = await all.next();
  let before: string | undefined;
  async function* files(): AsyncGenerator<TarFile> {
    for (let count = 0; count < perShard && !next.done; count++) {
      const { key, files } = next.value;
      if (!/^(.*\/)?[^./][^./]*$/s.test(key) || key === before)
        throw optionError(
          `The key of a sample must be a name without a dot that differs from the one before: '${key}'.`,
        );
      before = key;
      for (const [extension, content] of Object.entries(files)) yield { path: `${key}.${extension}`, content };
      next = await all.next();
    }
  }
  while (!next.done) {
    const path = join(folder, shardName(paths.length));
    await writeTar(path, files());
    paths.push(path);
  }
  return paths;
}

/**
 * Puts the CRC-32 of a content into fields of its header that only devices use. An address of an image has a checksum
 * of the header, and so tells when the tar was replaced by one with another image of the same size there.
 */
function fingerprint(content: Buffer): { devmaj: number; devmin: number } {
  const sum = crc32(content);
  return { devmaj: sum >>> 16, devmin: sum & 0xffff };
}

async function* iterate<Item>(items: Iterable<Item> | AsyncIterable<Item>): AsyncGenerator<Item, undefined> {
  yield* items;
}

async function* blocks(files: Iterable<TarFile> | AsyncIterable<TarFile>): AsyncGenerator<Buffer> {
  for await (const { path, content } of files) {
    const bytes = Buffer.from(content);
    const header = new Header({
      ...{ path, size: bytes.length, type: 'File', mode: 0o644, uid: 0, gid: 0, mtime: new Date(0) },
      ...fingerprint(bytes),
    });
    if (header.encode()) yield new Pax({ path, size: bytes.length }).encode(); // for what the header cannot hold
    yield header.block!;
    yield bytes;
    yield Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK);
  }
  yield Buffer.alloc(2 * BLOCK);
}
