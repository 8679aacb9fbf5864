import { Refusal } from './limits';

/** The tags of a TIFF that are read. */
export const tags = {
  width: 256,
  height: 257,
  bits: 258,
  compression: 259,
  photometric: 262,
  fillOrder: 266,
  stripOffsets: 273,
  orientation: 274,
  samples: 277,
  rowsPerStrip: 278,
  stripBytes: 279,
  planar: 284,
  predictor: 317,
  palette: 320,
  tileWidth: 322,
  tileHeight: 323,
  tileOffsets: 324,
  tileBytes: 325,
  extraSamples: 338,
  sampleFormat: 339,
  subsampling: 530,
  mediaPhoto: 0xbc01,
} as const;

// bytes per value, by the types of integers
const SIZES: Record<number, number | undefined> = { 1: 1, 3: 2, 4: 4, 13: 4, 16: 8, 18: 8 };
const mostValues = 1 << 19; // of all tags together

/** Whether a file begins with the signature of TIFF or BigTIFF. */
export const isTiff = (bytes: Uint8Array): boolean =>
  ['II*\0', 'MM\0*', 'II+\0', 'MM\0+'].includes(Buffer.from(bytes.subarray(0, 4)).toString('latin1'));

/** The integer values of the known {@link tags} in a TIFF's first directory (TIFF 6.0, BigTIFF). */
export class TiffDirectory {
  readonly bigEndian: boolean;
  private readonly values = new Map<number, number[]>();
  private readonly view: DataView;
  private readonly isBig: boolean;
  private room = mostValues;

  /** @throws Refusal when the directory or its values lie outside the file, or claim too many entries */
  constructor(bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.bigEndian = bytes[0] === 0x4d;
    this.isBig = bytes[2] === 43 || bytes[3] === 43;
    const [word, count, entry] = this.isBig ? [8, 8, 20] : [4, 2, 12];
    const at = this.number(this.isBig ? 8 : 4, word);
    const entries = this.number(at, count);
    if (entries > 4096) throw new Refusal(`its directory claims ${entries} entries`);
    const known = new Set<number>(Object.values(tags));
    for (let i = 0; i < entries; i++) {
      const from = at + count + i * entry;
      const tag = this.number(from, 2);
      if (known.has(tag)) this.values.set(tag, this.valuesAt(from, tag));
    }
  }

  /** The values of a tag; undefined if the directory lacks it. */
  list(tag: number): number[] | undefined {
    return this.values.get(tag);
  }

  /** The first value of a tag, or `otherwise` if the directory lacks it. */
  get(tag: number, otherwise: number): number {
    return this.values.get(tag)?.[0] ?? otherwise;
  }

  private valuesAt(entry: number, tag: number): number[] {
    const size = SIZES[this.number(entry + 2, 2)];
    if (size === undefined) throw new Refusal(`the type of its tag ${tag} is not an integer`);
    const word = this.isBig ? 8 : 4;
    const count = this.number(entry + 4, word);
    if (count > this.room) throw new Refusal(`its tag ${tag} claims ${count} values`);
    this.room -= count;
    const from = count * size <= word ? entry + 4 + word : this.number(entry + 4 + word, word);
    if (from + count * size > this.view.byteLength) throw new Refusal(`it ends before the values of its tag ${tag}`);
    return Array.from({ length: count }, (_, i) => this.number(from + i * size, size));
  }

  private number(at: number, size: number): number {
    const { view, bigEndian } = this;
    if (at + size > view.byteLength) throw new Refusal('it ends before its directory does');
    if (size === 1) return view.getUint8(at);
    if (size === 2) return view.getUint16(at, !bigEndian);
    if (size === 4) return view.getUint32(at, !bigEndian);
    const long = view.getBigUint64(at, !bigEndian);
    if (long > 2n ** 45n) throw new Refusal('an offset in it points far beyond its end');
    return Number(long);
  }
}
