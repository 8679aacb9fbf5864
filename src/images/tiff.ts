import { type Tensor } from '../torch';
import { unpackPixels } from '../torch/decoding';
import { Deadline, inflateFirst } from './inflate';
import { checkSize, type Limits, Refusal } from './limits';
import { decodeRaster, levels, rasterOf, wholePiece } from './raster';
import { decodeBySharp } from './sharp_decoder';
import { tags, TiffDirectory } from './tiff_directory';
import { samplesOf, type TiffSamples } from './tiff_samples';

/**
 * Decodes the first image of a TIFF as PIL does, turned as its tag Orientation says. Alpha is dropped. 16-bit grey
 * saturates at 255; 16-bit colours keep their upper byte. Pixels may be uncompressed or compressed (LZW, PackBits,
 * deflate, JPEG, CCITT), in strips or tiles, in one plane or several. A truncated file keeps the rows before its end if
 * it is uncompressed and in one plane. Sources: TIFF 6.0, TiffImagePlugin.py.
 *
 * @returns uint8 [H, W, 3]
 * @throws Refusal
 */
export async function decodeTiff(bytes: Uint8Array, limits: Limits): Promise<Tensor> {
  const directory = new TiffDirectory(bytes);
  const picture = readPicture(directory);
  const { width, height, compression, samples, reversed } = picture;
  checkSize(width, height, limits);
  if (directory.list(tags.mediaPhoto) !== undefined) throw new Refusal('it is a Windows Media Photo');
  if (BY_SHARP.includes(compression)) return decodeForeign(bytes, picture, limits);
  const packing = PACKINGS[compression];
  if (packing === undefined)
    throw new Refusal(
      `its compression ${compression}${NAMES[compression] ?? ''} is not read; save it with LZW, deflate or none`,
    );
  if (reversed && (packing !== 'none' || samples.bits > 8))
    throw new Refusal('its bits are in reversed order (FillOrder 2)');
  if (samples.colours === 'ycbcr') checkYcbcr(directory, packing);
  const chunks = chunksOf(directory, picture);
  if (packing === 'none') {
    refuseWhatPilScrambles(picture, chunks);
    return decodeChunks(bytes, picture, chunks, picture.planar ? 0 : 0.99);
  }
  const unpacked = await unpack(bytes, directory, picture, chunks, packing, limits);
  let at = 0;
  const moved = chunks.map((chunk) => ({ ...chunk, offset: (at += chunk.room) - chunk.room }));
  return decodeChunks(unpacked, picture, moved, 0);
}

const PACKINGS: Record<number, 'none' | 'lzw' | 'packbits' | 'deflate' | undefined> = {
  1: 'none',
  5: 'lzw',
  8: 'deflate',
  32773: 'packbits',
  32946: 'deflate',
};
const BY_SHARP = [2, 3, 4, 7]; // CCITT and JPEG: sharp decodes them with libtiff
const NAMES: Record<number, string | undefined> = {
  6: ' (old JPEG)',
  34925: ' (LZMA)',
  50000: ' (Zstandard)',
  50001: ' (WebP)',
  34712: ' (JPEG 2000)',
};

interface Picture {
  width: number;
  height: number;
  compression: number;
  orientation: number;
  planar: boolean;
  reversed: boolean;
  bigEndian: boolean;
  samples: TiffSamples;
}

function readPicture(directory: TiffDirectory): Picture {
  const orientation = directory.get(tags.orientation, 1);
  return {
    width: directory.get(tags.width, 0),
    height: directory.get(tags.height, 0),
    compression: directory.get(tags.compression, 1),
    orientation: orientation >= 1 && orientation <= 8 ? orientation : 1,
    planar: directory.get(tags.planar, 1) === 2,
    reversed: directory.get(tags.fillOrder, 1) === 2,
    bigEndian: directory.bigEndian,
    samples: samplesOf(directory),
  };
}

/**
 * Refuses files that PIL maps into memory with the size after the rotation: it reads other pixels from the path than
 * from the bytes.
 */
function refuseWhatPilScrambles({ width, height, orientation, planar, samples }: Picture, chunks: Chunk[]): void {
  const { count, bits, colours } = samples;
  const isMapped = count === 1 ? bits === 8 || bits === 16 : count === 4 && bits === 8 && colours !== 'premultiplied';
  if (orientation > 4 && width !== height && chunks.length === 1 && !planar && isMapped) {
    throw new Refusal(
      'it is uncompressed and rotated (Orientation 5 to 8), which PIL reads wrongly; save it upright or compressed',
    );
  }
}

function checkYcbcr(directory: TiffDirectory, packing: string): void {
  const subsampling = directory.list(tags.subsampling) ?? [1, 1];
  if (packing !== 'none' || subsampling.some((step) => step !== 1))
    throw new Refusal('its colours are YCbCr in a form that is not read; convert it to RGB');
}

/** A strip or a tile, of one plane or of all. */
interface Chunk {
  x: number;
  y: number;
  width: number;
  height: number;
  plane: number;
  stride: number;
  offset: number;
  /** bytes in the file */
  length: number;
  /** bytes after decompression */
  room: number;
}

const MOST_CHUNKS = 2 ** 17;

function chunksOf(directory: TiffDirectory, { width, height, planar, samples }: Picture): Chunk[] {
  const isTiled = directory.list(tags.stripOffsets) === undefined;
  const offsets = directory.list(isTiled ? tags.tileOffsets : tags.stripOffsets) ?? [];
  const lengths = directory.list(isTiled ? tags.tileBytes : tags.stripBytes) ?? [];
  const across = isTiled ? directory.get(tags.tileWidth, 0) : width;
  const down = Math.min(
    directory.get(isTiled ? tags.tileHeight : tags.rowsPerStrip, isTiled ? 0 : height),
    isTiled ? 2 ** 28 : height,
  );
  if (across < 1 || down < 1 || across > 2 ** 28) throw new Refusal('its strips or tiles have no size');
  const perPlane = Math.ceil(width / across) * Math.ceil(height / down);
  const planes = planar ? samples.used : 1;
  if (perPlane * planes > MOST_CHUNKS)
    throw new Refusal(`it has ${perPlane * planes} strips or tiles, more than ${MOST_CHUNKS}`);
  if (offsets.length < perPlane * planes)
    throw new Refusal(`it has ${offsets.length} strips or tiles; its size needs ${perPlane * planes}`);
  const stride = Math.ceil((across * samples.bits * (planar ? 1 : samples.count)) / 8);
  return Array.from({ length: perPlane * planes }, (_, i) => {
    const place = i % perPlane;
    const x = (place % Math.ceil(width / across)) * across;
    const y = Math.floor(place / Math.ceil(width / across)) * down;
    const rows = Math.min(down, height - y);
    const room = stride * (isTiled ? down : rows);
    return {
      x,
      y,
      width: Math.min(across, width - x),
      height: rows,
      plane: Math.floor(i / perPlane),
      stride,
      offset: offsets[i],
      length: lengths[i] ?? 0,
      room,
    };
  });
}

/** Decodes chunks that are uncompressed in the bytes. */
function decodeChunks(
  bytes: Uint8Array,
  { width, height, planar, orientation, reversed, bigEndian, samples }: Picture,
  chunks: Chunk[],
  most: number,
): Promise<Tensor> {
  const { count, used, ...kind } = samples;
  if (planar && kind.bits !== 8) throw new Refusal(`its samples of ${kind.bits} bits lie in planes`);
  if (planar && kind.colours === 'premultiplied') throw new Refusal('its premultiplied alpha lies in a plane');
  const perPlane = planar ? chunks.length / used : chunks.length;
  const pieces = new Float64Array(11 * perPlane);
  for (let i = 0; i < perPlane; i++) {
    const { x, y, width: columns, height: rows, stride, offset } = chunks[i];
    const offsets = [0, 1, 2, 3].map((c) => (planar ? chunks[i + perPlane * Math.min(c, used - 1)].offset : offset));
    pieces.set([x, y, columns, rows, 1, 1, stride, ...offsets], 11 * i);
  }
  const step = kind.bits * (planar ? 1 : count);
  const bitOffsets = [0, 1, 2, 3].map((c) => (planar || c >= count || used === 1 ? 0 : c * kind.bits));
  return decodeRaster(
    bytes,
    rasterOf({ width, height, pieces, orientation, reversed, bigEndian, step, bitOffsets, ...kind }),
    { most },
  );
}

async function unpack(
  bytes: Uint8Array,
  directory: TiffDirectory,
  picture: Picture,
  chunks: Chunk[],
  packing: 'lzw' | 'packbits' | 'deflate',
  limits: Limits,
): Promise<Uint8Array> {
  const { samples, planar, bigEndian } = picture;
  const size = chunks.reduce((sum, { room }) => sum + room, 0);
  if (size > 8 * limits.maxPixels) throw new Refusal(`its pixels would take ${size} bytes`);
  const predictor = directory.get(tags.predictor, 1);
  if (predictor > 2 || (predictor === 2 && samples.bits < 8))
    throw new Refusal(`its predictor ${predictor} is not read with ${samples.bits} bits per sample`);
  const broken = new Refusal('its pixels cannot be unpacked');
  if (chunks.some(({ offset, length }) => length === 0 || offset + length > bytes.length))
    throw new Refusal('it ends before its pixels do');
  const differences = [
    chunks[0].stride,
    predictor === 2 ? (planar ? 1 : samples.count) : 0,
    samples.bits,
    Number(bigEndian),
  ];
  let unpacked: Uint8Array | null;
  if (packing === 'deflate') {
    const all = Buffer.allocUnsafeSlow(size); // filled completely, or not used
    const deadline = new Deadline(limits);
    let done = 0;
    for (const { offset, length, room } of chunks) {
      await deadline.pass();
      const { bytes: piece, fault } = await inflateFirst(bytes.subarray(offset, offset + length), room, deadline);
      if (fault !== undefined || piece.length < room) throw broken;
      all.set(piece, done);
      done += room;
    }
    let at = 0;
    const parts = chunks.flatMap(({ room }) => [(at += room) - room, room, room]);
    unpacked = predictor === 2 ? await unpackPixels('raw', all, size, parts, differences) : all;
  } else {
    unpacked = await unpackPixels(
      packing,
      bytes,
      size,
      chunks.flatMap(({ offset, length, room }) => [offset, length, room]),
      differences,
    );
  }
  if (unpacked === null) throw broken;
  return unpacked;
}

/** Decodes JPEG and CCITT with libtiff, which gives grey or RGB. */
async function decodeForeign(
  bytes: Uint8Array,
  { width, height, compression, orientation, planar, samples }: Picture,
  limits: Limits,
): Promise<Tensor> {
  const isFax = compression !== 7;
  if (planar || samples.bits !== (isFax ? 1 : 8) || !['rgb', 'ycbcr'].includes(samples.colours)) {
    throw new Refusal(
      `its compression ${compression} does not go with its ${samples.bits} bits and ${samples.count} samples per pixel`,
    );
  }
  const { data, info } = await decodeBySharp(bytes, 'tiff', limits);
  if (info.width !== width || info.height !== height) throw new Refusal('its size contradicts its content');
  const pieces = wholePiece(width, height, 0, width * info.channels);
  const bitOffsets = info.channels < 3 ? [0, 0, 0] : [0, 8, 16];
  return decodeRaster(
    data,
    rasterOf({ width, height, orientation, step: 8 * info.channels, bitOffsets, tables: levels(8, 3), pieces }),
    { most: 0 },
  );
}
