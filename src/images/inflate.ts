import { setImmediate as yieldToEvents } from 'node:timers/promises';
import { promisify } from 'node:util';
import { constants, createInflate, inflate, inflateSync } from 'node:zlib';

import { type Limits, Refusal } from './limits';

const inflateAsync = promisify(inflate);
const SMALL = 1 << 19; // takes about a millisecond
const PIECE = 1 << 22;
const MANY = 100_000; // pieces, each of which takes some 25 µs more

/** The time by which an image must be decoded. */
export class Deadline {
  private readonly latest: number;
  private yielded = performance.now();

  constructor(private readonly limits: Limits) {
    this.latest = this.yielded + 1000 * limits.maxSeconds;
  }

  /** To be called between small steps: checks the time, and lets the event loop go on every few milliseconds. */
  async pass(): Promise<void> {
    this.check();
    if (performance.now() - this.yielded < 8) return;
    await yieldToEvents();
    this.yielded = performance.now();
  }

  /** Throws a {@link Refusal} once the time is over. */
  check(): void {
    if (performance.now() > this.latest) throw new Refusal(`decoding it takes longer than ${this.limits.maxSeconds} s`);
  }
}

/** What came out of a zlib stream before its end, or before the piece in which there is a fault. */
export interface Inflated {
  bytes: Uint8Array;
  fault?: Error;
}

/**
 * At most the first `size` bytes of a zlib stream, which may be cut. Large ones come in pieces, so that the event loop
 * goes on.
 */
export async function inflateFirst(data: Uint8Array, size: number, deadline: Deadline): Promise<Inflated> {
  if (size > PIECE) return inflatePieces(data, size, PIECE >> 2, deadline);
  const options = { maxOutputLength: size + 65536, chunkSize: size + 64, finishFlush: constants.Z_SYNC_FLUSH };
  try {
    const bytes = size < SMALL ? inflateSync(data, options) : await inflateAsync(data, options);
    return { bytes: bytes.subarray(0, size) };
  } catch (error) {
    return { bytes: new Uint8Array(0), fault: streamFault(error) };
  }
}

/**
 * The same of a damaged stream, up to the last whole row before the fault. zlib gives nothing of the piece in which it
 * finds one, so the pieces are rows.
 */
export async function inflateRows(
  data: Uint8Array,
  size: number,
  row: number,
  deadline: Deadline,
): Promise<Uint8Array> {
  // a piece has at least 64 bytes
  return row < 64 || size / row > MANY
    ? inflateBefore(data, size, deadline)
    : (await inflatePieces(data, size, row, deadline)).bytes;
}

/** The longest beginning of the stream in which there is no fault, but for its last byte. */
async function inflateBefore(data: Uint8Array, size: number, deadline: Deadline): Promise<Uint8Array> {
  let [sound, faulty] = [0, data.length];
  while (faulty - sound > 1) {
    await deadline.pass();
    const middle = (sound + faulty) >> 1;
    if ((await inflateFirst(data.subarray(0, middle), size, deadline)).fault === undefined) sound = middle;
    else faulty = middle;
  }
  const { bytes } = await inflateFirst(data.subarray(0, sound), size, deadline);
  return bytes.subarray(0, -1);
}

async function inflatePieces(data: Uint8Array, size: number, piece: number, deadline: Deadline): Promise<Inflated> {
  const target = Buffer.allocUnsafeSlow(size); // of which only what is written counts, and takes memory
  const stream = createInflate({ chunkSize: piece, finishFlush: constants.Z_SYNC_FLUSH });
  let length = 0;
  let fault: Error | undefined;
  try {
    stream.end(data);
    for await (const part of stream as AsyncIterable<Buffer>) {
      length += part.copy(target, length);
      if (length === size) break;
      deadline.check();
    }
  } catch (error) {
    fault = streamFault(error);
  } finally {
    stream.destroy();
  }
  return { bytes: target.subarray(0, length), fault };
}

/** Throws what is no fault of the stream. */
function streamFault(error: unknown): Error {
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (error instanceof Refusal || code === 'Z_MEM_ERROR' || /allocation failed/.test(message)) throw error;
  return error as Error;
}
