import { createHash } from 'node:crypto';

import { CleanclipError } from '../errors';
import { writeChunksWhole } from '../files';

/** Is called with the bytes that have arrived and their total, which is 0 when it is not known. */
export type OnBytes = (done: number, total: number) => void;

/** Seconds that a download may take: an hour is enough for 1 GB at 2.3 megabits per second. */
export const DOWNLOAD_SECONDS = 3600;

/** Seconds without a byte after which a download fails. */
export const SILENT_SECONDS = 60;

/** The most bytes of a file whose size is not known. The largest file of OpenAI has 0.93 GB. */
const MOST_BYTES = 2 * 2 ** 30;

interface Wanted {
  url: string;
  /** path of the file, which appears whole or not at all */
  path: string;
  /** SHA-256 of the whole file, in hexadecimal digits */
  sha256: string;
  /** size of the whole file in bytes, where it is known; an answer with another size is refused */
  size?: number;
  /** seconds that the whole download may take; default {@link DOWNLOAD_SECONDS} */
  seconds?: number;
  /** seconds without a byte after which it fails; default {@link SILENT_SECONDS} */
  silentSeconds?: number;
  /** name of what is downloaded, for messages */
  what: string;
  onBytes?: OnBytes;
  signal?: AbortSignal;
}

/**
 * Downloads a file and checks its SHA-256 while it arrives. The file appears only when the SHA-256 is right.
 * @throws CleanclipError `ERR_CHECKPOINT`, which tells what went wrong and where to put the file by hand; `ERR_ABORTED`
 * when the signal aborts it
 */
export async function download(wanted: Wanted): Promise<void> {
  const { url, path, what, signal, seconds = DOWNLOAD_SECONDS, silentSeconds = SILENT_SECONDS } = wanted;
  const failure = failureOf(wanted);
  const timeout = AbortSignal.timeout(seconds * 1000);
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), silentSeconds * 1000);
  try {
    const response = await fetch(url, {
      signal: AbortSignal.any([timeout, silence.signal, ...(signal ? [signal] : [])]),
      headers: { 'accept-encoding': 'identity' },
    });
    const { body, total } = checkedAnswer(response, wanted);
    await writeChunksWhole(
      path,
      checkedBytes(body, total, wanted, () => timer.refresh()),
    );
  } catch (error) {
    if (signal?.aborted === true) throw new CleanclipError(`The download of ${what} was stopped.`, 'ERR_ABORTED');
    if (error instanceof CleanclipError) throw error;
    if (timeout.aborted) throw failure(`it was not there after ${seconds} seconds`, error);
    throw failure(
      silence.signal.aborted ? `the server sent nothing for ${silentSeconds} seconds` : reasonOf(error),
      error,
    );
  } finally {
    clearTimeout(timer);
  }
}

/** Makes the error of a failed download. The reason is the middle part of its sentence. */
const failureOf =
  ({ what, url, path }: Wanted) =>
  (reason: string, cause?: unknown): CleanclipError =>
    new CleanclipError(
      `${what} could not be downloaded from ${url}: ${reason}; try again, or put the file at ${path}.`,
      'ERR_CHECKPOINT',
      { cause },
    );

/** Checks an answer, and returns its body and its size in bytes, which is 0 when it is not known. */
function checkedAnswer(response: Response, wanted: Wanted): { body: AsyncIterable<Uint8Array>; total: number } {
  const { size } = wanted;
  const failure = failureOf(wanted);
  const { body, headers } = response;
  if (!response.ok || body === null)
    throw failure(`the server answered ${response.status} ${response.statusText}`.trimEnd());
  const encoding = headers.get('content-encoding') ?? 'identity';
  if (encoding.toLowerCase() !== 'identity')
    throw failure(`the server sent it encoded as ${encoding}, which was not asked for`);
  const announced = headers.get('content-length');
  const total = announced === null ? (size ?? 0) : Number(announced);
  if (size !== undefined && announced !== null && total !== size)
    throw failure(`the server has ${total} bytes, and it should be ${size}`);
  return { body, total };
}

/** Passes the bytes on. It throws when they are too many, too few or do not have the SHA-256. */
async function* checkedBytes(
  body: AsyncIterable<Uint8Array>,
  total: number,
  wanted: Wanted,
  onArrival: () => void,
): AsyncGenerator<Uint8Array> {
  const { size, sha256, onBytes } = wanted;
  const failure = failureOf(wanted);
  const hash = createHash('sha256');
  let done = 0;
  const most = size ?? Math.min(total || MOST_BYTES, MOST_BYTES);
  for await (const chunk of body) {
    onArrival();
    if (done + chunk.length > most) throw failure(`the server sent more than the ${most} bytes that it should be`);
    hash.update(chunk);
    yield chunk;
    done += chunk.length;
    onBytes?.(done, total);
  }
  if (done < total) throw failure(`the connection ended after ${done} of ${total} bytes`);
  if (hash.digest('hex') !== sha256) throw failure(`the ${done} bytes that came do not have the SHA-256 ${sha256}`);
}

/** Returns the reason of an error of fetch, which puts it in `cause`. */
function reasonOf(error: unknown): string {
  const { cause, message } = error as Error & { cause?: Error & { code?: string } };
  return cause?.message || cause?.code || message;
}
