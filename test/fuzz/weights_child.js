// Loads mutated weight files in a process of its own: node weights_child.js <journal> <folder> <seed> <first> <last>.
// Every case follows from the seed and its number alone. It is written into the journal before it is tried, so that
// whoever watches knows what crashed or hangs; results are printed, one JSON object for each case that went wrong, and
// the counts at the end.
const {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} = require('node:fs');
const { join } = require('node:path');

const cc = require('../../dist');
const { draws } = require('./draws');
const { mutate, mutateJson, repairZip, zipEntries } = require('./mutations');

const { torch, CleanclipError } = cc;
const [journalFile, folder, seed, first, last] = process.argv.slice(2);
const journal = openSync(journalFile, 'w');
const names = readdirSync(folder).sort();
/** Each seed's files by name; of a seed that is no folder only one, without a name. */
const seeds = names.map((name) => {
  const path = join(folder, name);
  return statSync(path).isDirectory()
    ? Object.fromEntries(readdirSync(path).map((file) => [file, readFileSync(join(path, file))]))
    : { '': readFileSync(path) };
});
const others = seeds.flatMap((files) => Object.values(files));
const counts = { ok: 0, refused: 0, odd: 0 };
torch.setNumThreads(1);

/** A numbered case: the seed's files, one of them changed, its name, and what was done to it. */
function caseOf(number) {
  const draw = draws(Number(seed), number);
  const which = draw.below(seeds.length);
  const files = seeds[which];
  const file = draw.pick(Object.keys(files));
  const { bytes, did } =
    file.endsWith('.json') && draw.chance(0.7) ? mutateJson(files[file], draw) : changed(files[file], draw);
  return { files: { ...files, [file]: bytes }, name: join(names[which], file), did };
}

function changed(whole, draw) {
  const entries = zipEntries(whole);
  if (entries.length === 0) return mutate(whole, draw, { others });
  let { bytes, did } = draw.chance(0.5) ? changedRecord(whole, entries, draw) : mutate(whole, draw, { others });
  if (draw.chance(0.8)) bytes = repairZip(bytes);
  return { bytes, did };
}

/** A change within one record, which keeps its length, so that the directory still finds all. */
function changedRecord(whole, entries, draw) {
  const { start, end } = draw.chance(0.7) ? entries[0] : draw.pick(entries);
  const { bytes, did } = mutate(whole.subarray(start, end), draw, { others });
  const room = Buffer.alloc(end - start);
  bytes.copy(room);
  return { bytes: Buffer.concat([whole.subarray(0, start), room, whole.subarray(end)]), did };
}

/** Writes a case in place of the last one: a file, or a folder of files. */
function writeCase(path, files) {
  rmSync(path, { recursive: true, force: true });
  if ('' in files) return writeFileSync(path, files['']);
  mkdirSync(path);
  for (const [file, bytes] of Object.entries(files)) writeFileSync(join(path, file), bytes);
}

/** Touches every element of every tensor. */
function use(value, seen = new Set()) {
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  seen.add(value);
  if (value instanceof torch.Tensor) {
    if (value.numel() <= 1e6) value.to({ dtype: value.dtype.startsWith('complex') ? 'complex64' : 'float32' }).sum();
  } else
    for (const part of value instanceof Map
      ? [...value.keys(), ...value.values()]
      : value instanceof Set
        ? value
        : Object.values(value))
      use(part, seen);
}

for (let number = Number(first); number < Number(last); number++) {
  const { files, name, did } = caseOf(number);
  writeSync(journal, String(number).padEnd(20), 0);
  const path = `${journalFile}.case`;
  writeCase(path, files);
  try {
    torch.tidy(() => {
      if (number % 3 === 0 || !('' in files)) cc.loadClip(path);
      else use(torch.load(path, { mmap: number % 3 === 1, onUnread: () => undefined }));
    });
    counts.ok++;
  } catch (error) {
    const ours =
      error instanceof CleanclipError &&
      error.code.startsWith('ERR_') &&
      !(error.cause instanceof TypeError || error.cause instanceof RangeError);
    if (ours) counts.refused++;
    else {
      counts.odd++;
      console.log(JSON.stringify({ number, name, did, error: String(error.stack).slice(0, 600) }));
    }
  }
}
closeSync(journal);
console.log(JSON.stringify({ counts }));
