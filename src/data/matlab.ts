import { promisify } from 'node:util';
import { inflate } from 'node:zlib';

/** A numeric array of a MAT-file, in column-major order. */
export class MatNumbers {
  /**
   * @param dims its shape
   * @param type the code of its data type in the file
   * @param bytes its elements; a view of the file's buffer unless the variable was compressed
   */
  constructor(
    readonly dims: readonly number[],
    private readonly type: number,
    readonly bytes: Buffer,
  ) {}

  /** Whether the elements are uint8. */
  get isBytes(): boolean {
    return this.type === UINT8;
  }

  /** The number of elements. */
  get length(): number {
    return Math.floor(this.bytes.length / sizes[this.type]);
  }

  /** The element at `index` in MATLAB's column-major order; NaN beyond the end. */
  at(index: number): number {
    if (index >= this.length) return NaN;
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length);
    return Number(readers[this.type](view, index * sizes[this.type]));
  }
}

/** A structure array: the values of each field, one per structure. */
export type MatStructs = Map<string, MatValue[]>;

/** The value of a variable; null for a class that is not read (sparse matrices, objects, functions). */
export type MatValue = MatNumbers | MatStructs | MatValue[] | string | null;

const UINT8 = 2;
const INT32 = 5;
const MATRIX = 14;
const COMPRESSED = 15;

type Read = (view: DataView, at: number) => number | bigint;

const readers: Readonly<Record<number, Read>> = {
  1: (view, at) => view.getInt8(at),
  [UINT8]: (view, at) => view.getUint8(at),
  3: (view, at) => view.getInt16(at, true),
  4: (view, at) => view.getUint16(at, true),
  [INT32]: (view, at) => view.getInt32(at, true),
  6: (view, at) => view.getUint32(at, true),
  7: (view, at) => view.getFloat32(at, true),
  9: (view, at) => view.getFloat64(at, true),
  12: (view, at) => view.getBigInt64(at, true),
  13: (view, at) => view.getBigUint64(at, true),
  16: (view, at) => view.getUint8(at), // UTF-8
  17: (view, at) => view.getUint16(at, true), // UTF-16
  18: (view, at) => view.getUint32(at, true), // UTF-32
};

const sizes: Readonly<Record<number, number>> = {
  1: 1,
  2: 1,
  3: 2,
  4: 2,
  5: 4,
  6: 4,
  7: 4,
  9: 8,
  12: 8,
  13: 8,
  16: 1,
  17: 2,
  18: 4,
};

const headerBytes = 128;
const deepest = 16;
const largest = 2 ** 30; // bytes of all variables when unpacked; SVHN's train images are 2 ** 28
// bytes of all cells, structures and strings, which become JavaScript values; StanfordCars' are 2 ** 22
const largestValues = 2 ** 24;
const greatestRatio = 100; // of unpacked to compressed bytes, beyond the first 16 MiB
const longestName = 64; // bytes of a field's name; MATLAB writes no longer ones

/**
 * Reads the variables of a MAT-file of version 5 (MATLAB's `-v6` and `-v7`, scipy's `savemat`): numbers, strings,
 * structures and cells. Source: "MAT-File Format", The MathWorks, chapter 1.
 *
 * @param file bytes of the file
 * @throws Error whose message is the end of a sentence that begins with the name of the file
 */
export async function readMatlab(file: Buffer): Promise<Map<string, MatValue>> {
  if (file.length < headerBytes || file.toString('latin1', 124, 128) !== '\0\x01IM') {
    throw new Error('is no MAT-file of version 5 (saved with -v7 or -v6 in MATLAB on a little-endian machine)');
  }
  const variables = new Map<string, MatValue>();
  const elements = new Elements(file.subarray(headerBytes));
  let room = largest;
  let valueRoom = largestValues;
  while (!elements.atEnd) {
    let { type, data } = elements.next();
    if (type === COMPRESSED) {
      const unpacked = await unpack(data, Math.min(room, Math.max(largestValues, greatestRatio * data.length)));
      room -= unpacked.length;
      ({ type, data } = new Elements(unpacked).next());
    }
    if (type !== MATRIX) continue;
    if (isValues(data) && (valueRoom -= data.length) < 0)
      throw new Error(`has more than ${largestValues} bytes of strings, cells and structures`);
    const { name, value } = readMatrix(data, 0);
    variables.set(name, value);
  }
  return variables;
}

/** Whether an array becomes JavaScript values (class 1 to 5), rather than a view of its bytes. */
const isValues = (data: Buffer): boolean => data.length > 8 && data[8] < 6;

function readMatrix(data: Buffer, depth: number): { name: string; value: MatValue } {
  if (data.length === 0) return { name: '', value: [] };
  if (depth > deepest) throw damaged(`arrays more than ${deepest} deep in one another`);
  const elements = new Elements(data);
  const kind = elements.numbers().at(0) & 0xff;
  const dims = wholeNumbers(elements);
  const name = elements.next().data.toString('latin1');
  const count = dims.reduce((product, size) => product * size, 1);
  const inner = (): MatValue => readMatrix(elements.next(MATRIX).data, depth + 1).value;

  if (kind === 1 /* cell */) return { name, value: Array.from(range(count), inner) };
  if (kind === 2 /* struct */) {
    const [nameLength] = wholeNumbers(elements);
    if (!(nameLength >= 1 && nameLength <= longestName))
      throw damaged(`${nameLength} as the length of the names of fields`);
    const fields = splitNames(elements.next().data, nameLength);
    const structs: MatStructs = new Map(fields.map((field) => [field, []]));
    for (let i = 0; i < count && fields.length > 0; i++) {
      for (const field of fields) structs.get(field)!.push(inner());
    }
    return { name, value: structs };
  }
  if (kind === 4 /* char */) return { name, value: textOf(elements.next()) };
  if (kind >= 6 && kind <= 15 /* double … uint64 */) {
    const { type, data: bytes } = elements.next();
    if (!(type in readers)) throw damaged('numbers of an unknown kind');
    if (bytes.length !== count * sizes[type])
      throw damaged(`${bytes.length} bytes where its sizes ask for ${count * sizes[type]}`);
    return { name, value: new MatNumbers(dims, type, bytes) };
  }
  return { name, value: null };
}

/**
 * The data elements of a part of the file. An element is a tag of type and size, then data, padded to a multiple of 8
 * bytes.
 */
class Elements {
  private position = 0;

  constructor(private readonly bytes: Buffer) {}

  get atEnd(): boolean {
    return this.position >= this.bytes.length;
  }

  next(wanted?: number): { type: number; data: Buffer } {
    const first = this.uint32(0);
    const small = first >>> 16; // if this is not 0, it is the size, and the data lies in the tag itself
    const type = small > 0 ? first & 0xffff : first;
    const size = small > 0 ? small : this.uint32(4);
    const start = this.position + (small > 0 ? 4 : 8);
    if (small > 4 || start + size > this.bytes.length) throw damaged('an end in the middle of a variable');
    if (wanted !== undefined && type !== wanted) throw damaged('an element of an array that is not an array');
    const end = start + size;
    this.position = type === COMPRESSED ? end : start + (small > 0 ? 4 : 8 * Math.ceil(size / 8));
    return { type, data: this.bytes.subarray(start, end) };
  }

  numbers(): MatNumbers {
    const { type, data } = this.next();
    if (!(type in readers)) throw damaged('numbers of an unknown kind');
    return new MatNumbers([], type, data);
  }

  private uint32(offset: number): number {
    const at = this.position + offset;
    if (at + 4 > this.bytes.length) throw damaged('an end in the middle of a variable');
    return this.bytes.readUInt32LE(at);
  }
}

const inflateAsync = promisify(inflate);

async function unpack(data: Buffer, room: number): Promise<Buffer> {
  try {
    return await inflateAsync(data, { maxOutputLength: Math.max(room, 1) });
  } catch (error) {
    throw damaged(`compressed data that cannot be unpacked (${(error as Error).message})`);
  }
}

/** Reads numbers of type int32 that are not negative: sizes and lengths. */
function wholeNumbers(elements: Elements): number[] {
  const { type, data } = elements.next();
  const numbers = new MatNumbers([], type, data);
  if (type !== INT32 || numbers.length === 0 || numbers.length > 32) throw damaged('sizes that are not int32 numbers');
  const values = Array.from(range(numbers.length), (i) => numbers.at(i));
  if (values.some((value) => value < 0)) throw damaged('sizes below 0');
  return values;
}

function splitNames(bytes: Buffer, length: number): string[] {
  return Array.from(
    range(Math.floor(bytes.length / length)),
    (i) => bytes.toString('latin1', i * length, (i + 1) * length).split('\0', 1)[0],
  );
}

const encodings: Readonly<Record<number, BufferEncoding>> = {
  1: 'latin1',
  [UINT8]: 'latin1',
  4: 'utf16le',
  16: 'utf8',
  17: 'utf16le',
};

function textOf({ type, data }: { type: number; data: Buffer }): string {
  if (type in encodings) return data.toString(encodings[type]);
  throw damaged('a string of an unknown type');
}

function* range(count: number): Generator<number> {
  for (let i = 0; i < count; i++) yield i;
}

const damaged = (what: string): Error => new Error(`is damaged: it has ${what}`);
