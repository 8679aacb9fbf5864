/** Whether a file begins with the signature of WebP. */
export const isWebp = (bytes: Uint8Array): boolean => {
  const text = Buffer.from(bytes.subarray(0, 12)).toString('latin1');
  return text.startsWith('RIFF') && text.endsWith('WEBP');
};

/** Whether the file has at least the length that its header says. libwebp, and so PIL, refuses a truncated file. */
export function isWholeWebp(bytes: Uint8Array): boolean {
  if (bytes.length < 20) return false;
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(4, true);
  return length + 8 <= bytes.length;
}
