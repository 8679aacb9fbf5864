const extension = 0x21;
const graphicControl = 0xf9;
const frame = 0x2c;

/**
 * The colour of the palette entry that stands for transparency in a GIF's first frame (GIF89a specification), else of entry 0.
 * PIL shows it where alpha is dropped; libvips gives black there.
 */
export function transparentColour(gif: Uint8Array): Uint8Array {
  const black = new Uint8Array(3);
  let palette = gif.subarray(13, 13 + paletteBytes(gif[10]));
  let index = 0;
  let at = 13 + palette.length;
  while (gif[at] === extension) {
    if (gif[at + 1] === graphicControl && (gif[at + 3] & 1) === 1) index = gif[at + 6];
    at += 2;
    while (gif[at] > 0) at += gif[at] + 1;
    at += 1;
  }
  if (gif[at] === frame && paletteBytes(gif[at + 9]) > 0) {
    palette = gif.subarray(at + 10, at + 10 + paletteBytes(gif[at + 9]));
  }
  return index * 3 + 3 <= palette.length ? palette.subarray(index * 3, index * 3 + 3) : black;
}

/** Size of the colour table that follows a descriptor with these flags. */
const paletteBytes = (flags: number): number => ((flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1));
