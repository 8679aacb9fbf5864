import { Fault } from '../fault';
import type { FileBytes } from '../file_bytes';

/** The formats that can be read. */
export type Format = 'zip' | 'legacy' | 'safetensors';

/** Offset of the mark that a tar file has. */
const tarMark = 257;

/** Tells the format of a file by its first bytes. The errors name other files that people mistake for a checkpoint. */
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
  throw new Fault('is not a checkpoint: neither torch.save nor torch.jit.save wrote it, and it is not safetensors');
}

/** The largest header that the format allows, in bytes. */
const maxHeaderLength = 100_000_000n;

/** Checks for the length of a header and its opening brace. A zip file and a pickle have other bytes there. */
function isSafetensors(head: Buffer): boolean {
  return head.length > 8 && head[8] === 0x7b && head.readBigUInt64LE() <= maxHeaderLength;
}
