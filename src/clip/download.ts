import { createHash } from 'node:crypto';

import { CleanclipError } from '../errors';
import { writeChunksWhole } from '../files';

/** Told how many bytes of how many have arrived; the total is 0 when it is not known. */
export type OnBytes = (done: number, total: number) => void;

interface Wanted {
  url: string;
  /** where the file shall appear, whole or not at all */
  path: string;
  /** of the whole file, in hexadecimal digits */
  sha256: string;
  /** what it is, for messages */
  what: string;
  onBytes?: OnBytes;
  signal?: AbortSignal;
}

/**
 * Downloads a file and checks its SHA-256 while it arrives; the file appears only when that is right.
 * @throws CleanclipError `ERR_CHECKPOINT` that tells what went wrong and where to put the file by hand; `ERR_ABORTED`
 */
export async function download({ url, path, sha256, what, onBytes, signal }: Wanted): Promise<void> {
  const failure = (reason: string, cause?: unknown): CleanclipError =>
    new CleanclipError(`${what} could not be downloaded from ${url}: ${reason}; try again, or put the file at ${path}.`, 'ERR_CHECKPOINT', { cause });
  try {
    const response = await fetch(url, { signal, headers: { 'accept-encoding': 'identity' } });
    if (!response.ok || response.body === null) throw failure(`the server answered ${response.status} ${response.statusText}`.trimEnd());
    const total = Number(response.headers.get('content-length') ?? 0);
    await writeChunksWhole(path, checked(response.body, total));
  } catch (error) {
    if (signal?.aborted === true) throw new CleanclipError(`The download of ${what} was stopped.`, 'ERR_ABORTED');
    throw error instanceof CleanclipError ? error : failure(reasonOf(error), error);
  }

  async function* checked(body: AsyncIterable<Uint8Array>, total: number): AsyncGenerator<Uint8Array> {
    const hash = createHash('sha256');
    let done = 0;
    for await (const chunk of body) {
      hash.update(chunk);
      yield chunk;
      done += chunk.length;
      onBytes?.(done, total);
    }
    if (done < total) throw failure(`the connection ended after ${done} of ${total} bytes`);
    if (hash.digest('hex') !== sha256) throw failure(`the ${done} bytes that came do not have the SHA-256 ${sha256}`);
  }
}

/** fetch hides what happened in the cause of its error. */
function reasonOf(error: unknown): string {
  const { cause, message } = error as Error & { cause?: Error & { code?: string } };
  return cause?.message || cause?.code || message;
}
