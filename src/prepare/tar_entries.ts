import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';

import { Parser, type ReadEntry } from 'tar';

import { CleanclipError, dataError } from '../errors';
import { openRegular } from '../input_files';

/** A file of a tar. */
export interface TarFile {
  name: string;
  content: Buffer;
  /** bytes of the tar that have been read so far, compressed if it is */
  read: number;
}

/**
 * Reads the files of a tar, which may be compressed, one after another. Names that lead out of a folder are refused,
 * and so are links, which could.
 * @param most the largest file in bytes
 * @param take receives each file; the next one waits for it
 * @throws CleanclipError `ERR_DATA` when the tar is missing, damaged or hostile; also what `take` throws
 */
export async function readTar(file: string, most: number, take: (file: TarFile) => void): Promise<void> {
  const { fd } = openRegular(file, { wanted: 'a tar' });
  let failure: unknown;
  const refuse = (reason: string): void => void (failure ??= dataError(`${file} cannot be used: ${reason}.`));
  let read = 0;
  const parser = new Parser({ strict: true, onReadEntry: (entry: ReadEntry) => readEntry(entry) });
  const ended = new Promise<void>((done) => parser.once('end', done).once('error', () => done()));
  parser.on('error', (error: Error) => (failure ??= damaged(file, error)));
  function readEntry(entry: ReadEntry): void {
    const name = String(entry.path);
    if (entry.type === 'Directory' || failure !== undefined) return void entry.resume();
    if (!/^(Old)?File$|^ContiguousFile$/.test(entry.type)) refuse(`'${name}' in it is no plain file`);
    else if (/^[/\\]|^[a-z]:|(^|[/\\])\.\.([/\\]|$)|\0/i.test(name)) refuse(`'${name}' in it leads out of the folder`);
    else if (entry.size > most) refuse(`'${name}' in it has more than ${most} bytes`);
    if (failure !== undefined) return void entry.resume();
    const chunks: Buffer[] = [];
    entry.on('data', (chunk: Buffer) => chunks.push(chunk));
    entry.on('end', () => {
      try {
        take({ name, content: Buffer.concat(chunks), read });
      } catch (error) {
        failure ??= error;
      }
    });
  }
  try {
    await pipeline(createReadStream(file, { fd }), async function (source) {
      for await (const chunk of source as AsyncIterable<Buffer>) {
        if (failure !== undefined) break;
        read += chunk.length;
        if (!parser.write(chunk)) await Promise.race([once(parser, 'drain'), ended]);
      }
      parser.end();
      if (failure === undefined) await ended;
    });
  } catch (error) {
    throw failure ?? (error instanceof CleanclipError ? error : damaged(file, error as Error));
  }
  if (failure !== undefined) throw failure;
}

const damaged = (file: string, error: Error): Error =>
  dataError(`${file} is no tar, or is damaged: ${error.message}.`, error);
