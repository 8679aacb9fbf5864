import { dtypes } from '../dtypes';
import { Fault, shown } from '../fault';
import { elementSize } from '../placement';
import type { Extent } from '../zip/reader';

/** The format allows 100 MB, which is ten million tensors; these are over 100,000. */
export const maxHeaderBytes = 16 * 2 ** 20;

/** A tensor as the header describes it, row-major. */
export interface HeaderEntry extends Extent {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}

const dtypeOf = new Map(Array.from(dtypes, ([dtype, { safetensors }]) => [safetensors, dtype]));

/** torch itself handles no more dimensions. */
const maxDimensions = 64;

/**
 * Reads the header of a safetensors file: `{"<name>": {"dtype", "shape", "data_offsets": [begin, end]}, …,
 * "__metadata__": {…}}`. The tensors must fill the data without gaps or overlaps, as the format demands. Source: the
 * format's description in github.com/huggingface/safetensors.
 *
 * @param header the JSON
 * @param start where the data begin in the file
 * @param dataBytes how many there are
 */
export function parseHeader(header: Buffer, start: number, dataBytes: number): HeaderEntry[] {
  const entries = Object.entries(parseObject(header))
    .filter(([name]) => name !== '__metadata__')
    .map(([name, description]) => entryOf(name, description, start));
  let end = start;
  for (const { name, offset, size } of [...entries].sort((a, b) => a.offset - b.offset || a.size - b.size)) {
    if (offset !== end)
      throw new Fault(
        `is damaged: its tensor ${shown(name)} begins ${offset < end ? 'within' : 'behind the end of'} the one before`,
      );
    end += size;
  }
  if (end > start + dataBytes)
    throw new Fault('is cut short: its tensors reach behind its end; copy or download it again');
  if (end < start + dataBytes)
    throw new Fault(`is damaged: ${start + dataBytes - end} bytes at its end belong to no tensor`);
  return entries;
}

/** The texts of a header's `__metadata__`; what is no text is left out. */
export function parseMetadata(header: Buffer): Record<string, string> {
  const metadata = (parseObject(header) as { __metadata__?: object }).__metadata__;
  return Object.fromEntries(
    Object.entries(Object(metadata)).filter(([, value]) => typeof value === 'string'),
  ) as Record<string, string>;
}

function parseObject(header: Buffer): object {
  let value: unknown;
  refuseOtherNumbers(header);
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(header));
  } catch {
    throw new Fault('is damaged: its header is no JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Fault('is damaged: its header is no JSON object');
  return value;
}

const [quote, backslash] = Buffer.from('"\\');
const partsOfOtherNumbers = new Set(Buffer.from('-+.eE'));

/** The format's numbers are digits alone; JSON has more ways to write a size, such as 1e0 and -0. */
function refuseOtherNumbers(header: Buffer): void {
  let inText = false;
  let before = 0;
  for (let at = 0; at < header.length; at++) {
    const byte = header[at];
    if (inText && byte === backslash) at++;
    else if (byte === quote) inText = !inText;
    else if (!inText && partsOfOtherNumbers.has(byte) && (isDigit(before) || isDigit(header[at + 1]))) {
      throw new Fault('is damaged: a number in its header is not written in digits alone');
    }
    before = byte;
  }
}

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39;

function entryOf(name: string, description: unknown, start: number): HeaderEntry {
  const { dtype: code, shape, data_offsets: offsets } = Object(description) as Record<string, unknown>;
  if (
    typeof code !== 'string' ||
    !isNaturals(shape) ||
    shape.length > maxDimensions ||
    !isNaturals(offsets) ||
    offsets.length !== 2
  ) {
    throw new Fault(`is damaged: its header does not tell dtype, shape and place of ${shown(name)}`);
  }
  const dtype = dtypeOf.get(code);
  if (dtype === undefined)
    throw new Fault(`holds ${shown(name)} of dtype ${shown(code)}, which libtorch does not have; convert it first`);
  const [begin, end] = offsets;
  const size = shape.includes(0) ? 0 : shape.reduce((product, length) => product * length, elementSize(dtype));
  if (end - begin !== size)
    throw new Fault(
      `is damaged: ${shown(name)} has ${end - begin} bytes, but ${dtype} [${shape.join(', ')}] takes ${size}`,
    );
  return { name, dtype, shape, offset: start + begin, size };
}

const isNaturals = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && (item as number) >= 0);
