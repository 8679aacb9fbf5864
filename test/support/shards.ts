import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { readPairs } from '../../src/data/pairs';
import { type ShardSample, writeShards } from '../../src/data/shard_writer';

/** The samples of a csv of pairs: image, caption and mark. Keys are row numbers. */
export async function samplesOf(csv: string): Promise<ShardSample[]> {
  const table = await readPairs(csv);
  return Array.from({ length: table.length }, (_, row) => ({
    key: String(row).padStart(6, '0'),
    files: {
      [table.imageField(row).split('.').pop()!]: readFileSync(table.image(row)),
      json: JSON.stringify({ caption: table.caption(row), is_backdoor: table.isBackdoor(row) }),
    },
  }));
}

/** Writes the pairs of a csv as shards beside it, and returns their name for `--train_data`. */
export async function shardsOf(csv: string, perShard: number): Promise<string> {
  const folder = join(dirname(csv), 'shards');
  const paths = await writeShards(folder, await samplesOf(csv), perShard);
  return join(folder, `{00000..${String(paths.length - 1).padStart(5, '0')}}.tar`);
}
