import { closeSync, read } from 'node:fs';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';

import { dataError } from '../errors';
import { asReadError, openRegular } from '../input_files';

/** The file of an image that lies, encoded, inside a larger file: a member of a tar, or a value of a parquet. */
export interface ImageMember {
  /** path of the larger file */
  file: string;
  form: 'tar' | 'parquet';
  /** byte offset of the first byte of the image */
  offset: number;
  /** length of the image in bytes */
  bytes: number;
  /** CRC-32 of the header of the member of a tar, or of the image in a parquet; so a replaced file is noticed */
  check: number;
  /** name of the image in the file, for messages */
  name: string;
}

/** Bytes of the header of a member of a tar, which lies before its content. */
export const TAR_BLOCK = 512;

const WANTED = { wanted: 'an image' };
const MOST_OPEN = 64; // files of each thread

/**
 * The address of a member, which is accepted wherever the path of an image is. Example:
 * `shards/00000.tar#tar=1536+4821&check=0a1b2c3d&name=000000012.jpg`.
 */
export const memberAddress = ({ file, form, offset, bytes, check, name }: ImageMember): string =>
  `${file}#${form}=${offset}+${bytes}&check=${check.toString(16).padStart(8, '0')}&name=` +
  name.replaceAll(/\p{Cc}/gu, '?');

/** The member of an address from {@link memberAddress}; undefined for any other path. */
export function parseMember(address: string): ImageMember | undefined {
  const found = /^(.+?)#(tar|parquet)=(\d{1,15})\+(\d{1,15})&check=([0-9a-f]{8})&name=(.*)$/s.exec(address);
  if (found === null) return undefined;
  const [, file, form, offset, bytes, check, name] = found;
  return {
    file,
    form: form as ImageMember['form'],
    offset: Number(offset),
    bytes: Number(bytes),
    check: Number.parseInt(check, 16),
    name,
  };
}

/** The file on disk that an image path or an address leads to. */
export const fileOf = (path: string): string => (path.includes('#') ? (parseMember(path)?.file ?? path) : path);

/** How messages call a member. */
export const describeMember = ({ file, name }: ImageMember): string => `'${name}' of ${file}`;

/**
 * Reads the bytes of a member. The larger file stays open for the next ones.
 * @throws CleanclipError ERR_DATA: the file is missing, not regular or cut off, the image is larger than `maxBytes`, or
 * the file was changed after the address was made
 */
export async function readMember(member: ImageMember, maxBytes: number): Promise<Buffer> {
  if (member.bytes > maxBytes)
    throw dataError(
      `Expected an image in ${describeMember(member)}, but it is larger than ${maxBytes} bytes: it has ` +
        `${member.bytes}.`,
    );
  return (await readFrom(openFile(member.file), member)) ?? (await readAgain(member));
}

/** Reads after the file was opened anew, because it may have been replaced since. */
async function readAgain(member: ImageMember): Promise<Buffer> {
  forget(member.file);
  const bytes = await readFrom(openFile(member.file), member);
  if (bytes !== undefined) return bytes;
  throw dataError(
    `Expected ${describeMember(member)} at byte ${member.offset}, but something else is there: the file was changed ` +
      'after it was listed; restore it, or list it again.',
  );
}

const readAsync = promisify(read);

/** Reads a member; undefined if another one is in its place. */
async function readFrom(
  open: OpenFile,
  { file, form, offset, bytes, check }: ImageMember,
): Promise<Buffer | undefined> {
  const head = form === 'tar' ? TAR_BLOCK : 0;
  if (offset < head) return undefined;
  open.users++;
  try {
    const all = Buffer.allocUnsafe(head + bytes);
    let filled = 0;
    for (let got = -1; got !== 0 && filled < all.length; filled += got)
      got = (await readAsync(open.fd, all, filled, all.length - filled, offset - head + filled)).bytesRead;
    if (filled < all.length) return undefined;
    return crc32(form === 'tar' ? all.subarray(0, head) : all) === check ? all.subarray(head) : undefined;
  } catch (error) {
    throw asReadError(file, error, WANTED);
  } finally {
    open.users--;
    if (open.forgotten && open.users === 0) closeSync(open.fd);
  }
}

/** A file that is kept open. */
interface OpenFile {
  fd: number;
  /** number of reads under way */
  users: number;
  /** whether it is to be closed when nobody reads it */
  forgotten: boolean;
}

const openFiles = new Map<string, OpenFile>(); // the file that was used last comes last

function openFile(file: string): OpenFile {
  const open = openFiles.get(file) ?? { fd: openRegular(file, WANTED).fd, users: 0, forgotten: false };
  openFiles.delete(file);
  openFiles.set(file, open);
  if (openFiles.size > MOST_OPEN) forget(openFiles.keys().next().value!);
  return open;
}

function forget(file: string): void {
  const open = openFiles.get(file);
  if (open === undefined) return;
  openFiles.delete(file);
  open.forgotten = true;
  if (open.users === 0) closeSync(open.fd);
}
