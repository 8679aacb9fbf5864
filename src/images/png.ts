import { crc32 } from 'node:zlib';

import { type Tensor } from '../torch';
import { Deadline, inflateFirst, inflateRows } from './inflate';
import { checkSize, type Limits, Refusal } from './limits';
import { decodeRaster, levels, paletteTables, type Raster, rasterOf, wholePiece } from './raster';

const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');

/** Whether a file begins with the signature of PNG. */
export const isPng = (bytes: Uint8Array): boolean => signature.equals(bytes.subarray(0, 8));

/**
 * Decodes a PNG as PIL does with LOAD_TRUNCATED_IMAGES. A truncated or damaged file keeps the whole rows before the
 * fault; the rest is black. 16-bit grey saturates at 255; other 16-bit samples keep their upper byte. Alpha,
 * transparent colours and profiles are ignored. Sources: PNG specification, PngImagePlugin.py, ZipDecode.c.
 *
 * @returns uint8 [H, W, 3]
 * @throws Refusal
 */
export async function decodePng(bytes: Uint8Array, limits: Limits): Promise<Tensor> {
  const { header, palette, data } = readChunks(bytes);
  const { width, height, depth, colour, interlaced } = header;
  checkSize(width, height, limits);
  const samples = SAMPLES[colour];
  const pieces = interlaced
    ? passes(width, height, depth * samples)
    : wholePiece(width, height, 1, rowBytes(width, depth * samples) + 1);
  const size = sizeOf(pieces);
  const rows = await inflated(data, size, interlaced ? 0 : pieces[6], limits);
  const raster = rasterOf({ width, height, pieces, bits: depth, bigEndian: true, ...layout(colour, depth, palette) });
  return decodeRaster(rows, raster, { filtered: Math.max(1, (depth * samples) / 8), most: 1 });
}

// By colour type: the samples per pixel, and the bit depths that the specification allows.
const SAMPLES: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const DEPTHS: Record<number, number[] | undefined> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};

function layout(colour: number, depth: number, palette: Uint8Array | undefined): Partial<Raster> {
  if (colour === 3) {
    if (palette === undefined) throw new Refusal('it has no palette');
    const tables = paletteTables(palette);
    return { step: depth, bitOffsets: [0, 0, 0], tables, blank: [tables[0], tables[256], tables[512]] };
  }
  const grey = colour === 0 || colour === 4;
  return {
    step: SAMPLES[colour] * depth,
    bitOffsets: grey ? [0, 0, 0] : [0, depth, 2 * depth],
    tables: levels(depth, 3, colour === 0 ? 'cut' : 'upper'),
  };
}

const rowBytes = (width: number, bits: number): number => Math.ceil((width * bits) / 8);

/** The pieces of an interlaced PNG: the Adam7 passes that have pixels, in the order of the stream. */
function passes(width: number, height: number, bits: number): Float64Array {
  const pieces: number[] = [];
  let at = 1;
  for (const [x, y, right, down] of [
    [0, 0, 8, 8],
    [4, 0, 8, 8],
    [0, 4, 4, 8],
    [2, 0, 4, 4],
    [0, 2, 2, 4],
    [1, 0, 2, 2],
    [0, 1, 1, 2],
  ]) {
    const [columns, rows] = [Math.ceil((width - x) / right), Math.ceil((height - y) / down)];
    if (columns <= 0 || rows <= 0) continue;
    const stride = rowBytes(columns, bits) + 1;
    pieces.push(x, y, columns, rows, right, down, stride, at, at, at, at);
    at += rows * stride;
  }
  return Float64Array.from(pieces);
}

function sizeOf(pieces: Float64Array): number {
  let size = 0;
  for (let i = 0; i < pieces.length; i += 11) size += pieces[i + 3] * pieces[i + 6];
  return size;
}

interface Header {
  width: number;
  height: number;
  depth: number;
  colour: number;
  interlaced: boolean;
}

const MOST_CHUNKS = 2 ** 17; // four times the chunks of a 256 MiB file in chunks of 8 KiB

/**
 * Reads the chunks up to the end of the first run of IDAT chunks. Every other chunk must be whole. Only critical chunks
 * other than IDAT need a correct checksum.
 */
function readChunks(bytes: Uint8Array): { header: Header; palette: Uint8Array | undefined; data: Uint8Array } {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let header: Header | undefined;
  let palette: Uint8Array | undefined;
  const data: Uint8Array[] = [];
  for (let at = 8, count = 1; at + 8 <= bytes.length; count++) {
    if (count > MOST_CHUNKS) throw new Refusal(`it has more than ${MOST_CHUNKS} chunks`);
    const length = file.readUInt32BE(at);
    const name = file.toString('latin1', at + 4, at + 8);
    const content = bytes.subarray(at + 8, at + 8 + length);
    if (data.length > 0 && name !== 'IDAT') break;
    if (name === 'IDAT') {
      data.push(content);
    } else {
      if (name === 'IEND') break;
      if (content.length < length || at + 12 + length > bytes.length)
        throw new Refusal(`it ends in its chunk ${printable(name)}`);
      const isCritical = (bytes[at + 4] & 0x20) === 0;
      if (isCritical && crc32(bytes.subarray(at + 4, at + 8 + length)) !== file.readUInt32BE(at + 8 + length)) {
        throw new Refusal(`the checksum of its chunk ${printable(name)} is wrong`);
      }
      if (name === 'IHDR') header = readHeader(content);
      if (name === 'PLTE') palette = content;
    }
    at += 12 + length;
  }
  if (header === undefined) throw new Refusal('it has no header chunk IHDR');
  if (data.length === 0) throw new Refusal('it has no pixels: no chunk IDAT');
  return { header, palette, data: data.length === 1 ? data[0] : Buffer.concat(data) };
}

const printable = (name: string): string => (/^\w{4}$/.test(name) ? name : 'without a name');

function readHeader(content: Uint8Array): Header {
  if (content.length < 13) throw new Refusal('its header chunk is too short');
  const view = new DataView(content.buffer, content.byteOffset, content.length);
  const [depth, colour, , filter, interlaced] = content.subarray(8, 13);
  if (DEPTHS[colour]?.includes(depth) !== true)
    throw new Refusal(`its colour type ${colour} with ${depth} bits per sample does not exist`);
  if (filter !== 0) throw new Refusal(`its filter method ${filter} does not exist`);
  return { width: view.getUint32(0), height: view.getUint32(4), depth, colour, interlaced: interlaced !== 0 };
}

/**
 * Inflates the first `size` bytes of the stream, or fewer if it ends or has a fault before. As in PIL, a row that ends
 * where the fault begins is lost.
 * @param row bytes per row; 0 where rows differ in length (interlaced), which makes a fault an error
 */
async function inflated(data: Uint8Array, size: number, row: number, limits: Limits): Promise<Uint8Array> {
  const deadline = new Deadline(limits);
  const { bytes, fault } = await inflateFirst(data, size, deadline);
  if (fault === undefined) return bytes;
  if (row === 0) throw new Refusal('its pixels are damaged, and it is interlaced');
  return inflateRows(data, size, row, deadline);
}
