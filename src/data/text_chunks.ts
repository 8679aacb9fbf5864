import { TextDecoder } from 'node:util';

import { dataError } from '../errors';
import { asReadError, openRegularAsync } from '../input_files';

const CHUNK = 1 << 18; // bytes read at once

/**
 * Reads a text file in chunks of UTF-8, without its byte order mark. A file with a byte order mark of UTF-16 is
 * converted. Only UTF-16 is validated.
 *
 * @param wanted what the file should be, as in "Expected a csv file in …"
 * @returns chunks, each with the number of bytes of the byte order mark that was skipped before it
 * @throws CleanclipError ERR_DATA: the file is not regular, or neither UTF-8 nor UTF-16
 */
export async function* textChunks(path: string, wanted: string): AsyncGenerator<{ chunk: Buffer; skipped: number }> {
  const { handle } = await openRegularAsync(path, { wanted });
  try {
    let decoder: TextDecoder | undefined;
    let first = true;
    for (;;) {
      const bytes = Buffer.allocUnsafe(CHUNK);
      const { bytesRead } = await handle.read(bytes, 0, CHUNK, null);
      const last = bytesRead === 0;
      let chunk = bytes.subarray(0, bytesRead);
      let skipped = 0;
      if (first) {
        const mark = markOf(chunk, path);
        decoder =
          mark.encoding === undefined ? undefined : new TextDecoder(mark.encoding, { fatal: true, ignoreBOM: true });
        skipped = mark.bytes;
        chunk = chunk.subarray(mark.bytes);
        first = false;
      }
      yield { chunk: decoder === undefined ? chunk : decodeUtf16(decoder, chunk, last, path), skipped };
      if (last) return;
    }
  } catch (error) {
    throw asReadError(path, error, { wanted });
  } finally {
    await handle.close();
  }
}

function markOf(bytes: Buffer, path: string): { encoding?: 'utf-16le' | 'utf-16be'; bytes: number } {
  const start = bytes.toString('latin1', 0, 4);
  if (start.startsWith('\xef\xbb\xbf')) return { bytes: 3 };
  if (start === '\xff\xfe\0\0' || start === '\0\0\xfe\xff') throw dataError(`${path} is UTF-32; save it as UTF-8.`);
  if (start.startsWith('\xff\xfe')) return { encoding: 'utf-16le', bytes: 2 };
  if (start.startsWith('\xfe\xff')) return { encoding: 'utf-16be', bytes: 2 };
  if (/^(?:[^\0]\0|\0[^\0])/.test(start))
    throw dataError(`${path} looks like UTF-16 without a byte order mark; save it as UTF-8.`);
  return { bytes: 0 };
}

function decodeUtf16(decoder: TextDecoder, chunk: Buffer, last: boolean, path: string): Buffer {
  try {
    return Buffer.from(decoder.decode(chunk, { stream: !last }));
  } catch (error) {
    throw dataError(`${path} has a byte order mark of UTF-16, but is not valid UTF-16; save it as UTF-8.`, error);
  }
}
