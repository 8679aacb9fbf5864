import { dtypes } from '../dtypes';
import { Fault, shown } from '../fault';
import { elementSize } from '../placement';
import type { Extent } from '../zip/reader';

/**
 * The largest header to read, in bytes. The format allows 100 MB, enough for ten million tensors; 16 MiB hold over
 * 100,000.
 */
export const maxHeaderBytes = 16 * 2 ** 20;

/** A tensor as the header describes it, row-major. */
export interface HeaderEntry extends Extent {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}

const dtypeOf = new Map(Array.from(dtypes, ([dtype, { safetensors }]) => [safetensors, dtype]));

/** The most dimensions that torch itself handles. */
const maxDimensions = 64;

/**
 * Reads the header of a safetensors file: `{"<name>": {"dtype", "shape", "data_offsets": [begin, end]}, …,
 * "__metadata__": {…}}`. The tensors must fill the data without gaps or overlaps, as the format demands. Source: the
 * description of the format in github.com/huggingface/safetensors.
 *
 * @param header the JSON
 * @param start offset in the file where the data begin
 * @param dataBytes size of the data in bytes
 * @throws Fault when the header is damaged or does not fit the data
 */
export function parseHeader(header: Buffer, start: number, dataBytes: number): HeaderEntry[] {
  const entries = Object.entries(parseObject(header))
    .filter(([name]) => name !== '__metadata__')
    .map(([name, description]) => entryOf(name, description, start));
  let end = start;
  for (const { name, offset, size } of [...entries].sort((a, b) => a.offset - b.offset || a.size - b.size)) {
    if (offset !== end)
      throw new Fault(
        `is damaged: its tensor ${shown(name)} begins ${offset < end ? 'within' : 'past the end of'} the one before`,
      );
    end += size;
  }
  if (end > start + dataBytes)
    throw new Fault('is cut short: its tensors reach past its end; copy or download it again');
  if (end < start + dataBytes)
    throw new Fault(`is damaged: ${start + dataBytes - end} bytes at its end belong to no tensor`);
  return entries;
}

/** Returns the strings of a header's `__metadata__`. Values that are not strings are left out. */
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
    throw new Fault('is damaged: its header is not valid JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Fault('is damaged: its header is not a JSON object');
  return value;
}

const [quote, backslash] = Buffer.from('"\\');
const partsOfOtherNumbers = new Set(Buffer.from('-+.eE'));

/**
 * Refuses numbers that are not written in digits alone, as the format demands. JSON has more ways to write a size, such
 * as 1e0 and -0.
 */
function refuseOtherNumbers(header: Buffer): void {
  let inString = false;
  let before = 0;
  for (let at = 0; at < header.length; at++) {
    const byte = header[at];
    if (inString && byte === backslash) at++;
    else if (byte === quote) inString = !inString;
    else if (!inString && partsOfOtherNumbers.has(byte) && (isDigit(before) || isDigit(header[at + 1]))) {
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
    throw new Fault(`is damaged: its header does not give dtype, shape and data offsets of ${shown(name)}`);
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
