import { readSync } from 'node:fs';
import { Fault } from './fault';

/** Tells a zip file from what people mistake for a checkpoint. */
export function checkSignature(fd: number, fileSize: number): void {
  if (fileSize === 0) throw new Fault('is empty');
  const head = Buffer.alloc(64);
  const text = head.subarray(0, readSync(fd, head, 0, head.length, 0)).toString('latin1');
  if (text.startsWith('PK\x03\x04')) return;
  if ('PK\x03\x04'.startsWith(text)) throw new Fault('is cut short; copy or download it again');
  if (text.startsWith('\x80')) {
    throw new Fault('is of the older format that torch wrote before 1.6; load it in Python and save it again with torch.save');
  }
  if (/^\s*</.test(text)) throw new Fault('is a web page, not a checkpoint; the download went wrong');
  if (text.startsWith('version https://git-lfs')) throw new Fault('is a Git LFS pointer, not the checkpoint itself; fetch it with git lfs pull');
  throw new Fault('is not a checkpoint written by torch.save');
}
