import { Fault } from '../fault';
import type { FileBytes } from '../file_bytes';

/** The kinds of files that are read. */
export type Format = 'zip' | 'legacy' | 'safetensors';

/** Where a tar file has its mark. */
const tarMark = 257;

/** Tells by a file's first bytes of which format it is, and what people mistake for a checkpoint. */
export function formatOf(file: FileBytes): Format {
  if (file.length === 0) throw new Fault('is empty');
  const head = file.read(0, Math.min(file.length, tarMark + 5));
  const text = head.toString('latin1');
  if (isSafetensors(head)) return 'safetensors'; // first, for the length may begin with any bytes
  if (text.startsWith('PK\x03\x04')) return 'zip';
  if ('PK\x03\x04'.startsWith(text)) throw new Fault('is cut short; copy or download it again');
  if (text.startsWith('\x80')) return 'legacy';
  if (text.startsWith('ustar', tarMark)) {
    throw new Fault(
      'is of the tar format of the first versions of torch; load it in Python and save it again with torch.save',
    );
  }
  if (/^\s*</.test(text)) throw new Fault('is a web page, not a checkpoint; the download went wrong');
  if (text.startsWith('version https://git-lfs'))
    throw new Fault('is a Git LFS pointer, not the checkpoint itself; fetch it with git lfs pull');
  throw new Fault('is no checkpoint: neither written by torch.save or torch.jit.save nor safetensors');
}

/** Most bytes of a header that the format allows. */
const maxHeaderLength = 100_000_000n;

/** A header's length and its first brace; a zip file and a pickle have other bytes there. */
function isSafetensors(head: Buffer): boolean {
  return head.length > 8 && head[8] === 0x7b && head.readBigUInt64LE() <= maxHeaderLength;
}
