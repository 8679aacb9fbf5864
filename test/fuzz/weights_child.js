// Loads mutated weight files in a process of its own: node weights_child.js <journal> <folder> <seed> <first> <last>.
// Every case follows from the seed and its number alone. It is written into the journal before it is tried, so that whoever watches knows what
// crashed or hangs; results are printed, one JSON object for each case that went wrong, and the counts at the end.
const { closeSync, openSync, readdirSync, readFileSync, writeFileSync, writeSync } = require('node:fs');
const { join } = require('node:path');

const cc = require('../../dist');
const { drawsOf, mutate, repairZip, zipEntries } = require('./mutations');

const { torch, CleanclipError } = cc;
const [journalFile, folder, seed, first, last] = process.argv.slice(2);
const journal = openSync(journalFile, 'w');
const names = readdirSync(folder).sort();
const seeds = names.map((name) => readFileSync(join(folder, name)));
const counts = { ok: 0, refused: 0, odd: 0 };
torch.setNumThreads(1);

/** The bytes of a numbered case, and what was done to which file. */
function caseOf(number) {
  const draw = drawsOf(Number(seed), number);
  const which = draw.below(seeds.length);
  let bytes = seeds[which];
  let did;
  const entries = zipEntries(bytes);
  if (entries.length > 0 && draw.chance(0.5)) {
    // Within one record, which keeps its length, so that the directory still finds all.
    const { start, end } = draw.chance(0.7) ? entries[0] : draw.pick(entries);
    const record = mutate(bytes.subarray(start, end), draw, { others: seeds });
    const room = Buffer.alloc(end - start);
    record.bytes.copy(room);
    did = record.did;
    bytes = Buffer.concat([bytes.subarray(0, start), room, bytes.subarray(end)]);
  } else ({ bytes, did } = mutate(bytes, draw, { others: seeds }));
  if (entries.length > 0 && draw.chance(0.8)) bytes = repairZip(bytes);
  return { bytes, name: names[which], did };
}

/** Touches every element of every tensor. */
function use(value, seen = new Set()) {
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  seen.add(value);
  if (value instanceof torch.Tensor) {
    if (value.numel() <= 1e6) value.to({ dtype: value.dtype.startsWith('complex') ? 'complex64' : 'float32' }).sum();
  } else for (const part of value instanceof Map ? [...value.keys(), ...value.values()] : value instanceof Set ? value : Object.values(value)) use(part, seen);
}

for (let number = Number(first); number < Number(last); number++) {
  const { bytes, name, did } = caseOf(number);
  writeSync(journal, String(number).padEnd(20), 0);
  const path = join(journalFile + '.case');
  writeFileSync(path, bytes);
  try {
    torch.tidy(() => {
      if (number % 3 === 0) cc.loadClip(path);
      else use(torch.load(path, { mmap: number % 3 === 1, onUnread: () => undefined }));
    });
    counts.ok++;
  } catch (error) {
    const ours = error instanceof CleanclipError && error.code.startsWith('ERR_') && !(error.cause instanceof TypeError || error.cause instanceof RangeError);
    if (ours) counts.refused++;
    else {
      counts.odd++;
      console.log(JSON.stringify({ number, name, did, error: String(error.stack).slice(0, 600) }));
    }
  }
}
closeSync(journal);
console.log(JSON.stringify({ counts }));
