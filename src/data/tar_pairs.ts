import { relative, resolve } from 'node:path';

import { memberAddress } from '../images/members';
import type { Listing } from './listing';
import type { PairTableBuilder } from './pair_table';
import { captionsOf, decodeText, type Found, isMarked, type SampleKeys } from './samples';
import { type TarMember, TarReader } from './tar_members';

/** Extensions of images, the first of which is taken when a sample has several. */
const IMAGES = ['jpg', 'jpeg', 'png', 'webp', 'gif', 'bmp', 'tif', 'tiff', 'ppm', 'pgm', 'pbm', 'pnm', 'pfm', 'avif'];
const LONGEST_TEXT = 1 << 20; // bytes of a caption or a json, as of a row of a csv
const SAMPLES_AT_A_TIME = 1000; // then other work of the thread has its turn

/** The files of a tar that have one name but for the extension. */
interface Sample {
  key: string;
  /** the member of each extension, in lower case */
  members: Map<string, TarMember>;
  /** an extension that came twice */
  twice?: string;
}

/**
 * Reads the samples of a tar of WebDataset into a table. A sample is a run of files whose paths agree up to the first
 * dot of the name: an image, and a `.txt` or `.json` with its caption. Only headers and texts are read.
 *
 * @throws CleanclipError ERR_DATA: the file is missing, not regular, empty or compressed
 */
export async function readTarPairs(
  file: string,
  keys: SampleKeys,
  table: PairTableBuilder,
  listing: Listing,
): Promise<void> {
  const reader = new TarReader(file);
  const shard = relative(table.root, resolve(file));
  let count = 0;
  try {
    for (const sample of samples(reader, (byte, reason) =>
      table.leaveOut({ line: count + 1, byte, reason, where: `${file} (byte ${byte})` }),
    )) {
      count++;
      const pair = pairOf(sample, keys, (member) => reader.read(member));
      if ('value' in pair) {
        const { image, captions, isBackdoor } = pair.value;
        const { offset, bytes, check, path: name } = image;
        table.add(memberAddress({ file: shard, form: 'tar', offset, bytes, check, name }), captions, isBackdoor);
      } else {
        const byte = [...sample.members.values()][0].offset;
        const where = `${file}, sample '${sample.key}' (byte ${byte})`;
        table.leaveOut({ line: count, byte, reason: pair.reason, where });
      }
      if (count % SAMPLES_AT_A_TIME !== 0) continue;
      await new Promise(setImmediate);
      listing.atByte(reader.position);
    }
  } finally {
    reader.close();
  }
}

/** Groups the files of a tar to samples as WebDataset does. */
function* samples(reader: TarReader, onFault: (byte: number, reason: string) => void): Generator<Sample> {
  let sample: Sample | undefined;
  const members = reader.members();
  for (let next = members.next(); ; next = members.next()) {
    if (next.done) {
      if (sample !== undefined) yield sample;
      if (next.value !== undefined)
        onFault(next.value.byte, `${next.value.reason}, so the rest of this shard is lost; make or download it again`);
      return;
    }
    const [, key, extension] = /^((?:.*\/)?[^./][^./]*)\.([^/]*)$/s.exec(next.value.path) ?? [];
    if (key === undefined) continue; // a name without an extension, or one that begins with a dot
    if (sample?.key !== key) {
      if (sample !== undefined) yield sample;
      sample = { key, members: new Map() };
    }
    const kind = extension.toLowerCase();
    if (sample.members.has(kind)) sample.twice = kind;
    else sample.members.set(kind, next.value);
  }
}

interface Pair {
  image: TarMember;
  captions: string[];
  isBackdoor: boolean;
}

function pairOf(
  { members, twice }: Sample,
  { imageKey, captionKey }: SampleKeys,
  read: (member: TarMember) => Buffer,
): Found<Pair> {
  if (twice !== undefined) return { reason: `it has two files .${twice}` };
  const wanted = imageKey === 'image' ? IMAGES : [];
  const image = [imageKey.toLowerCase(), ...wanted]
    .map((kind) => members.get(kind))
    .find((found) => found !== undefined);
  if (image === undefined) return { reason: `it has no image: its files are ${extensions(members)}` };
  if (image.bytes === 0) return { reason: 'its image is empty' };
  const json = members.get('json');
  const facts = json === undefined ? { value: {} } : fieldsOf(json, read);
  if ('reason' in facts) return facts;
  const text = members.get(captionKey === 'caption' ? 'txt' : captionKey.toLowerCase());
  const captions = text === undefined ? captionsOf(facts.value[captionKey]) : asList(textOf(text, read));
  if ('reason' in captions) {
    const nothing = text === undefined && json === undefined;
    return { reason: captions.reason + (nothing ? `: its files are ${extensions(members)}` : '') };
  }
  const mark = isMarked(facts.value.is_backdoor, image.path);
  if ('reason' in mark) return mark;
  return { value: { image, captions: captions.value, isBackdoor: mark.value } };
}

const extensions = (members: Map<string, TarMember>): string =>
  [...members.keys()]
    .slice(0, 8)
    .map((kind) => `.${kind}`)
    .join(', ');

function textOf(member: TarMember, read: (member: TarMember) => Buffer): Found<string> {
  if (member.bytes > LONGEST_TEXT) return { reason: `its text is longer than ${LONGEST_TEXT} bytes` };
  return decodeText(read(member));
}

const asList = (text: Found<string>): Found<string[]> => ('value' in text ? { value: [text.value] } : text);

function fieldsOf(member: TarMember, read: (member: TarMember) => Buffer): Found<Record<string, unknown>> {
  const text = textOf(member, read);
  if ('reason' in text) return text;
  try {
    const value: unknown = JSON.parse(text.value);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return { value: value as Record<string, unknown> };
  } catch {
    // it is told below
  }
  return { reason: 'its .json is no JSON object' };
}
