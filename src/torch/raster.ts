/**
 * Says where the samples of a picture are in a file's bytes, and which levels of colour they mean; see
 * native/pixels/raster.h.
 */
export interface Raster {
  /** in pixels, as stored */
  width: number;
  height: number;
  /** TIFF's orientation, 1 to 8: how the picture is turned before it is shown */
  orientation: number;
  /** bits per sample: 1, 2, 4, 8, 16 or 32 */
  bits: number;
  /** what a sample of 32 bits is; its value is clamped to 0 … 255 */
  samples: 'unsigned' | 'signed' | 'float';
  colours: 'rgb' | 'cmyk' | 'ycbcr' | 'premultiplied';
  bigEndian: boolean;
  /** whether the lowest bit of each byte comes first */
  reversed: boolean;
  /** bits from one pixel to the next */
  step: number;
  /** bits from a pixel's first bit to each of its samples (three or four) */
  bitOffsets: number[];
  /** per sample, the level of each of its values: 256 bytes, or 65,536 for 16 bits; none for 32 bits */
  tables: Uint8Array;
  /** RGB, 0 to 255, where the file has no pixels */
  blank: number[];
  /**
   * Eleven numbers per rectangle of pixels: x, y, width, height, step to the right, step down, bytes per row, and four
   * byte offsets. An offset is where the rectangle's first row begins for one sample.
   */
  pieces: Float64Array;
}
