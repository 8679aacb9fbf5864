import { Refusal } from './limits';
import { levels, paletteTables, type Raster, repeated, table } from './raster';
import { tags, type TiffDirectory } from './tiff_directory';

/** The samples of a TIFF's pixels. */
export interface TiffSamples extends Pick<Raster, 'bits' | 'samples' | 'colours' | 'tables' | 'blank'> {
  /** samples per pixel */
  count: number;
  /** samples per pixel that make its colour; the rest is alpha or extra */
  used: number;
}

/**
 * Reads which samples a TIFF has. All kinds that PIL reads (OPEN_INFO in TiffImagePlugin.py) are accepted, except
 * CIELAB, 12 bits, and grey with premultiplied alpha.
 * @throws Refusal
 */
export function samplesOf(directory: TiffDirectory): TiffSamples {
  const compression = directory.get(tags.compression, 1);
  const photometric = directory.get(tags.photometric, 0);
  const count = directory.get(tags.samples, compression === 7 && (photometric === 2 || photometric === 6) ? 3 : 1);
  const extra = directory.list(tags.extraSamples) ?? [];
  const widths = directory.list(tags.bits) ?? [1];
  const format = sampleFormat(directory);
  if (count < 1 || count > 6) throw new Refusal(`it has ${count} samples per pixel`);
  const bits = widths.length === 1 ? new Array<number>(count).fill(widths[0]) : widths.slice(0, count);
  if (bits.length !== count || bits.some((width) => width !== bits[0]))
    throw new Refusal(`its samples have ${bits.join(', ')} bits`);
  const kind = KINDS[photometric];
  if (kind === undefined)
    throw new Refusal(
      photometric === 8
        ? 'its colours are CIELAB; convert it to RGB'
        : `its photometric interpretation ${photometric} is not read`,
    );
  const { colours, used, allowed } = kind;
  const alpha = extra[0] ?? (count === 4 && photometric === 2 ? 2 : 0);
  const spare = count - used;
  const isOdd =
    spare < 0 ||
    (extra.length > 0 ? extra.length !== spare : spare > 0 && !(photometric === 2 && spare === 1)) ||
    extra.slice(1).some((other) => other !== 0);
  if (isOdd)
    throw new Refusal(
      `it has ${count} samples per pixel of photometric interpretation ${photometric}, of which ${extra.length} ` +
        'are extra',
    );
  const layout = `${bits[0]}${format === 1 ? 'u' : format === 2 ? 'i' : format === 3 ? 'f' : '?'}`;
  if (!allowed.includes(layout))
    throw new Refusal(
      `its samples of ${bits[0]} bits and format ${format} do not go with its photometric ` +
        `interpretation ${photometric}`,
    );
  if (photometric <= 1 && alpha === 1) throw new Refusal('its grey is premultiplied by its alpha');
  return {
    count,
    used,
    bits: bits[0],
    samples: format === 3 ? 'float' : bits[0] === 32 ? 'signed' : 'unsigned',
    colours: photometric === 2 && spare > 0 && alpha === 1 ? 'premultiplied' : colours,
    ...tablesOf(directory, photometric, bits[0], format),
  };
}

/** The sample format that all samples share; 0, which no kind allows, if they differ. */
function sampleFormat(directory: TiffDirectory): number {
  const formats = directory.list(tags.sampleFormat) ?? [1];
  return formats.every((format) => format === formats[0]) ? formats[0] : 0;
}

// By photometric interpretation: the colours, the number of samples per colour, and the allowed bits and formats (u:
// unsigned, i: signed, f: float).
const KINDS: Record<number, { colours: Raster['colours']; used: number; allowed: string[] } | undefined> = {
  0: { colours: 'rgb', used: 1, allowed: ['1u', '2u', '4u', '8u', '16u', '32f'] },
  1: { colours: 'rgb', used: 1, allowed: ['1u', '2u', '4u', '8u', '8i', '16u', '16i', '32u', '32i', '32f'] },
  2: { colours: 'rgb', used: 3, allowed: ['8u', '16u'] },
  3: { colours: 'rgb', used: 1, allowed: ['1u', '2u', '4u', '8u'] },
  5: { colours: 'cmyk', used: 4, allowed: ['8u', '16u'] },
  6: { colours: 'ycbcr', used: 3, allowed: ['8u'] },
};

function tablesOf(
  directory: TiffDirectory,
  photometric: number,
  bits: number,
  format: number,
): Pick<TiffSamples, 'tables' | 'blank'> {
  const blank = [0, 0, 0];
  if (bits === 32) return { tables: new Uint8Array(0), blank };
  if (photometric === 3) return paletteOf(directory, bits);
  if (photometric === 5) return { tables: levels(bits, 4), blank: [255, 255, 255] };
  if (photometric === 2) return { tables: levels(bits, directory.get(tags.extraSamples, 0) === 1 ? 4 : 3), blank };
  if (photometric === 6) return { tables: levels(bits, 3), blank: [0, 135, 0] };
  if (format === 2 && bits === 16)
    return {
      tables: repeated(
        table(16, (value) => (value >= 32768 ? 0 : Math.min(255, value))),
        3,
      ),
      blank,
    };
  return { tables: levels(bits, 3, 'cut', photometric === 0 && bits <= 8), blank };
}

/**
 * The tables of a palette: all reds, then all greens, then all blues, 16 bits each, of which the upper byte is used.
 */
function paletteOf(directory: TiffDirectory, bits: number): Pick<TiffSamples, 'tables' | 'blank'> {
  const values = directory.list(tags.palette);
  if (values === undefined || values.length < 3 || values.length % 3 !== 0) throw new Refusal('it has no palette');
  const length = values.length / 3;
  const colours = Uint8Array.from(
    { length: values.length },
    (_, i) => values[(i % 3) * length + Math.floor(i / 3)] >> 8,
  );
  const tables = paletteTables(colours.subarray(0, 3 * Math.min(length, 2 ** bits)));
  return { tables, blank: [tables[0], tables[256], tables[512]] };
}
