/** Whether a file is AVIF: an ISO base media file with the brand `avif` or `avis`. */
export function isAvif(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.subarray(0, 256)).toString('latin1');
  if (text.slice(4, 8) !== 'ftyp') return false;
  const brands = text.slice(8, Math.max(8, Math.min(256, bytes[3])));
  return /^(.{4})*avi[fs]/s.test(brands);
}

const containers = ['meta', 'iprp', 'ipco'];

/**
 * Disables rotation, mirroring and cropping (the boxes irot, imir and clap of HEIF, ISO 23008-12): libheif applies
 * them, PIL does not.
 * @returns the bytes given if there is nothing to disable, else a copy
 */
export function unturned(bytes: Uint8Array): Uint8Array {
  let copy: Buffer | undefined;
  const visit = (from: number, to: number, depth: number): void => {
    for (let at = from; at + 8 <= to;) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      const size = view.getUint32(at);
      const name = Buffer.from(bytes.subarray(at + 4, at + 8)).toString('latin1');
      const end = size === 0 ? to : at + size;
      if (size === 1 || end > to || end < at + 8) return;
      if (containers.includes(name) && depth < 3) visit(at + (name === 'meta' ? 12 : 8), end, depth + 1);
      if ((name === 'irot' || name === 'imir') && end === at + 9) {
        copy ??= Buffer.from(bytes);
        copy.write('irot\0', at + 4, 'latin1'); // a rotation by 0 degrees
      }
      if (name === 'clap') {
        copy ??= Buffer.from(bytes);
        copy.write('free', at + 4, 'latin1');
      }
      at = end;
    }
  };
  visit(0, bytes.length, 0);
  return copy ?? bytes;
}
