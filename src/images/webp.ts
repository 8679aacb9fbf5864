/** Whether a file begins as a WebP does. */
export const isWebp = (bytes: Uint8Array): boolean => {
  const text = Buffer.from(bytes.subarray(0, 12)).toString('latin1');
  return text.startsWith('RIFF') && text.endsWith('WEBP');
};

/** Whether the file has the length that its head says: libwebp, and so PIL, takes no truncated one. */
export function isWholeWebp(bytes: Uint8Array): boolean {
  if (bytes.length < 20) return false;
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(4, true);
  return length + 8 <= bytes.length;
}
