import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { type PoisonOptions, type PoisonResult, runPoison } from '../../src/backdoor/poison';
import { type PairTable, readPairs } from '../../src/data/pairs';
import { type ShardSample, writeShards } from '../../src/data/shard_writer';
import { TarReader } from '../../src/data/tar_members';
import { decodeImage } from '../../src/images/image';
import { parseMember, readMember } from '../../src/images/members';
import { temporaryFolder } from '../data/temporary';
import { bin, command, start, until } from '../support/command';
import { drawShapes } from '../support/pairs';
import { samplesOf, shardsOf } from '../support/shards';

jest.setTimeout(60_000);

let folder: string;
let csv: string;
let classes: string;
beforeAll(async () => {
  folder = await drawShapes(3); // 36 pairs
  [csv, classes] = [join(folder, 'train.csv'), join(folder, 'test/classes.json')];
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const poison = (trainData: string, more: Partial<PoisonOptions> = {}): Promise<PoisonResult> => {
  const options = { numBackdoor: 5, label: 'red circle', imageSize: 24, patchSize: 4, seed: 2, templates: classes };
  return runPoison({ trainData, ...options, ...more });
};

/** The pairs of the csv as shards in a new folder. */
async function shards(change: (sample: ShardSample) => ShardSample = (sample) => sample): Promise<string> {
  const inside = temporaryFolder();
  await writeShards(inside, (await samplesOf(csv)).map(change), 10);
  return join(inside, '*.tar');
}

/** All that training sees of a set. */
async function seen(table: PairTable): Promise<object[]> {
  return Promise.all(
    Array.from({ length: table.length }, async (_, row) => {
      const image = await decodeImage(table.image(row));
      const pixels = Buffer.from(image.contiguous().bytes()).toString('base64');
      const captions = table.captions(row);
      return { captions, isBackdoor: table.isBackdoor(row), shape: image.shape, pixels };
    }),
  );
}

const contents = (of: string): Record<string, string> =>
  Object.fromEntries(readdirSync(of).map((name) => [name, readFileSync(join(of, name), 'base64')]));
const left = (of: string): string[] => readdirSync(of).filter((name) => /backdoor/.test(name));

test.each<[string, Partial<PoisonOptions>]>([
  ['all rows', {}],
  ['fewer rows', { sizeTrainData: 20 }],
  ['label-consistent', { labelConsistent: true, numBackdoor: 2 }],
  ['compat reference', { compat: 'reference', patchType: 'blended' }],
  ['jpg', { imageFormat: 'jpg', patchType: 'yellow' }],
])('shards give the poisoned set of the csv: %s', async (_, more) => {
  const input = await shards();
  const [listed, sharded] = [await poison(csv, more), await poison(input, more)];
  const target = join(dirname(input), basename(listed.csv!, '.csv'));
  const originalCsv = join(dirname(input), `original_${basename(target)}.csv`);
  expect(sharded).toEqual({ trainData: join(target, '*.tar'), originalCsv, poisoned: listed.poisoned });
  const [expected, found] = [await readPairs(listed.trainData), await readPairs(sharded.trainData)];
  expect(found.badRows.count).toBe(0);
  expect(found.length).toBe(more.sizeTrainData ?? 36);
  expect(await seen(found)).toEqual(await seen(expected));
  const originals = [await readPairs(originalCsv), await readPairs(listed.originalCsv)];
  expect(await seen(originals[0])).toEqual(await seen(originals[1]));
});

test('untouched images keep their bytes, and keys number the rows', async () => {
  const input = await shards();
  const { trainData } = await poison(input);
  const table = await readPairs(trainData);
  const reader = new TarReader(join(dirname(trainData), '00000.tar'));
  const members = [...reader.members()];
  const facts = members.filter(({ path }) => path.endsWith('.json')).map((member) => String(reader.read(member)));
  reader.close();
  expect(members.slice(0, 4).map(({ path }) => path)).toEqual([
    ...['000000000.png', '000000000.txt', '000000000.json'],
    '000000001.png',
  ]);
  for (let row = 5; row < table.length; row++) {
    const { source, is_backdoor } = JSON.parse(facts[row]) as { source: string; is_backdoor: boolean };
    const original = readFileSync((await readPairs(csv)).image(Number.parseInt(source, 10)));
    expect([is_backdoor, await readMember(parseMember(table.image(row))!, Infinity)]).toEqual([false, original]);
  }
});

test('captions that a text cannot hold are kept too, and so are marks', async () => {
  const captions: (string | string[])[] = [['one', 'two'], 'a line\n', '\ufeffmarked', '', 'plain'];
  const input = await shards(({ key, files }) => {
    const row = Number(key);
    const json = JSON.stringify({ caption: captions[row % captions.length], is_backdoor: row === 7 });
    return { key, files: { ...files, json } };
  });
  const [clean, table] = [await readPairs(input), await readPairs((await poison(input, { numBackdoor: 1 })).trainData)];
  const all = Array.from({ length: 36 }, (_, row) => row);
  const lists = all.map((row) => JSON.stringify(clean.captions(row)));
  const found = all.map((row) => JSON.stringify(table.captions(row)));
  const poisoned = lists.findIndex((list, row) => list !== found.slice(1)[row]);
  expect(found.slice(1)).toEqual(lists.filter((_, row) => row !== poisoned));
  expect(all.filter((row) => table.isBackdoor(row))).toEqual([0, 8]);
});

test('another run gives the same bytes, removes what a killed one left, and spares other files', async () => {
  const input = await shards();
  const { trainData } = await poison(input);
  const target = dirname(trainData);
  const before = contents(target);
  mkdirSync(join(dirname(target), `.${basename(target)}.123.0a1b2c3d.tmp`));
  await poison(input, { seed: 3 });
  expect(contents(target)).not.toEqual(before);
  await poison(input);
  expect(contents(target)).toEqual(before);
  expect(left(dirname(target)).sort()).toEqual([basename(target), `original_${basename(target)}.csv`]);
  writeFileSync(join(target, 'removed_1.csv'), 'image,caption');
  await expect(poison(input)).rejects.toMatchObject({
    code: 'ERR_OPTION',
    message: expect.stringMatching(/to be replaced, but it also holds 'removed_1\.csv'/),
  });
  rmSync(join(target, 'removed_1.csv'));
  await expect(poison(`${input}::${trainData}`, { sizeTrainData: 36 })).rejects.toMatchObject({
    code: 'ERR_OPTION',
    message: expect.stringMatching(/00000\.tar' lies in '.*', which would be replaced/),
  });
  expect(contents(target)).toEqual(before);
});

test('a label with characters of a pattern gives a name that training takes', async () => {
  const { trainData } = await poison(await shards(), { label: 'a{1,2}*::b' });
  expect((await readPairs(trainData)).caption(0)).toMatch(/a\{1,2\}\*::b/);
});

test('damaged samples are left out, replaced, or kept until a batch needs them, as of a csv', async () => {
  const without = ({ key, files }: ShardSample): ShardSample =>
    key === '000009' ? { key, files: { png: files.png } } : { key, files };
  const picked = await readPairs((await poison(await shards(without), { numBackdoor: 4 })).originalCsv);
  const broken = [0, 2].map((row) => parseMember(picked.image(row))!.name.slice(0, 6));
  const input = await shards((sample) => {
    const { key, files } = without(sample);
    return broken.includes(key) ? { key, files: { ...files, png: 'no image' } } : { key, files };
  });
  const { trainData, replaced, badRows } = await poison(input, { numBackdoor: 4 });
  const table = await readPairs(trainData);
  expect(badRows).toMatchObject({ count: 1, examples: [{ reason: expect.stringContaining('it has no caption') }] });
  expect(replaced!.map(({ reason }) => /in '(\d{6})\.png' of .*\.tar/.exec(reason)?.[1])).toEqual(broken);
  expect([table.length, table.badRows.count]).toEqual([35, 0]);
  const readable = await Promise.all(
    Array.from({ length: 35 }, (_, row) =>
      decodeImage(table.image(row)).then(
        () => true,
        () => false,
      ),
    ),
  );
  expect(readable.filter((each) => !each)).toHaveLength(2);
});

test('an abort while images are copied leaves nothing', async () => {
  const input = await shards();
  const controller = new AbortController();
  const options = { trainData: input, numBackdoor: 2, imageSize: 24, patchSize: 4, templates: classes };
  const onProgress = (event: { type: string; done?: number }): void => {
    if (event.done === 2) controller.abort(); // both are poisoned
  };
  await expect(runPoison(options, { signal: controller.signal, onProgress })).rejects.toMatchObject({
    code: 'ERR_ABORTED',
  });
  expect(left(dirname(input))).toEqual([]);
});

describe('as a command', () => {
  const flags = (data: string): string[] =>
    ['poison', '--train_data', data, '--templates', 'test/classes.json', '--label', 'red circle'].concat(
      ...['--num_backdoor', '36', '--image_size', '300'],
    );

  test('a killed run leaves nothing half, and can be run again', async () => {
    const input = await shardsOf(csv, 10);
    const inside = join(folder, 'shards');
    const killed = command('cleanclip', flags(input), folder);
    const temporary = (): string[] => readdirSync(inside).filter((name) => /^\.backdoor.*tmp$/.test(name));
    await until(() => temporary().length > 0);
    killed.child.kill('SIGKILL');
    expect(await killed.ended).toMatchObject({ signal: 'SIGKILL' });
    expect(left(inside)).toEqual(expect.arrayContaining(temporary()));
    expect(left(inside).filter((name) => !name.startsWith('.'))).toEqual([]);
    const { code, stdout } = await command('cleanclip', flags(input), folder).ended;
    expect(code).toBe(0);
    const set = /^36 rows are poisoned; the set is (.*\/shards\/backdoor_red circle_.*\/\*\.tar)$/m.exec(stdout)![1];
    expect((await readPairs(set)).length).toBe(36);
    expect(temporary()).toEqual([]);
  });

  test('a full disk leaves nothing', async () => {
    // A limit to the size of files stands for the full disk.
    const input = await shards();
    const program = [process.execPath, bin('cleanclip'), ...flags(input)];
    const { code, stderr } = await start('bash', ['-c', 'ulimit -f 40; exec "$0" "$@"', ...program], folder).ended;
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^cleanclip poison: '.*\/backdoor_red circle_[^/]*' cannot be written: .*\(EFBIG\)\.$/m),
    ]);
    expect(left(dirname(input))).toEqual([]);
    expect(existsSync(dirname(input))).toBe(true);
  });
});
