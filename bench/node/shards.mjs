// Measures loading an epoch of the same pairs from a csv, from tars and from a parquet, without training on them.
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

import { writeShards } from '../../dist/data/shard_writer.js';
import cleanclip from '../../dist/index.js';
import { pairsCsv } from './inputs.mjs';

const PER_SHARD = 256;

export async function prepare({ folder, pairs }) {
  const csv = await csvOfFiles(folder, pairs);
  const shards = join(folder, `shards_${pairs}`);
  if (!existsSync(shards)) await writeShards(shards, samples(await cleanclip.readPairs(csv)), PER_SHARD);
  // the Python side writes the parquet while it prepares
  const files = { csv, tars: join(shards, '*.tar'), parquet: join(folder, `pairs_${pairs}.parquet`) };
  let epoch = 0;
  return async () => {
    epoch++;
    const taken = {};
    for (const [kind, file] of Object.entries(files)) {
      const start = performance.now();
      const table = await cleanclip.readPairs(file);
      taken[`${kind}Listed`] = (performance.now() - start) / 1000 / pairs;
      taken[kind] = (await load(table, epoch)) / pairs;
    }
    return { ...taken, tarShare: taken.csv / taken.tars, parquetShare: taken.csv / taken.parquet };
  };
}

/** Writes a csv whose every row has an image file of its own, as tars and parquet files have. */
async function csvOfFiles(folder, pairs) {
  const listed = await cleanclip.readPairs(await pairsCsv(folder, pairs));
  const csv = join(folder, `files_${pairs}.csv`);
  if (existsSync(csv)) return csv;
  mkdirSync(join(folder, `files_${pairs}`));
  const rows = ['image,caption'];
  for (let row = 0; row < listed.length; row++) {
    const name = `files_${pairs}/${row}.jpg`;
    cpSync(listed.image(row), join(folder, name));
    rows.push(`${name},${listed.caption(row)}`);
  }
  writeFileSync(csv, rows.join('\n'));
  return csv;
}

async function load(table, epoch) {
  const options = { batchSize: 32, size: 224, numWorkers: 2, contextLength: 0, cacheBytes: 0 };
  const loader = new cleanclip.PairLoader(table, options);
  const all = loader.epoch(epoch);
  const dispose = async () => {
    const { value, done } = await all.next();
    value?.dispose();
    return !done;
  };
  await dispose(); // the threads have started
  const start = performance.now();
  while (await dispose());
  const seconds = (performance.now() - start) / 1000;
  await loader.close();
  return seconds;
}

function* samples(table) {
  for (let row = 0; row < table.length; row++)
    yield {
      key: String(row).padStart(8, '0'),
      files: { jpg: readFileSync(table.image(row)), txt: table.caption(row) },
    };
}
