/**
 * Where the samples of a picture lie among bytes, and which bytes of colour they stand for; see native/pixels/raster.h.
 */
export interface Raster {
  /** as stored */
  width: number;
  height: number;
  /** TIFF's, 1 to 8: how it is turned before it is shown */
  orientation: number;
  /** bits a sample: 1, 2, 4, 8, 16 or 32 */
  bits: number;
  /** what 32 bits hold, cut to a byte */
  samples: 'unsigned' | 'signed' | 'float';
  colours: 'rgb' | 'cmyk' | 'ycbcr' | 'premultiplied';
  bigEndian: boolean;
  /** the lowest bit of each byte comes first */
  reversed: boolean;
  /** bits from pixel to pixel */
  step: number;
  /** of each sample (three, or four) from the pixel's first bit */
  bitOffsets: number[];
  /** for each sample the byte of each of its values: 256, or 65,536 for 16 bits; none for 32 bits */
  tables: Uint8Array;
  /** the colour where there are no pixels */
  blank: number[];
  /**
   * eleven numbers a rectangle: x, y, width, height, step right, step down, bytes a row, where its first row begins for
   * each of four samples
   */
  pieces: Float64Array;
}
