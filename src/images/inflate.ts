import { setImmediate as yieldToEvents } from 'node:timers/promises';
import { promisify } from 'node:util';
import { constants, createInflate, inflate, inflateSync } from 'node:zlib';

import { type Limits, Refusal } from './limits';

const inflateAsync = promisify(inflate);
const SMALL = 1 << 19; // takes about a millisecond
const PIECE = 1 << 22;
const MANY = 100_000; // pieces; each one costs about 25 µs

/** The time by which an image must be decoded. */
export class Deadline {
  private readonly latest: number;
  private yielded = performance.now();

  constructor(private readonly limits: Limits) {
    this.latest = this.yielded + 1000 * limits.maxSeconds;
  }

  /** Checks the time, and yields to the event loop every 8 ms. Callers await it between small steps. */
  async pass(): Promise<void> {
    this.check();
    if (performance.now() - this.yielded < 8) return;
    await yieldToEvents();
    this.yielded = performance.now();
  }

  /** Throws a {@link Refusal} after the deadline. */
  check(): void {
    if (performance.now() > this.latest) throw new Refusal(`decoding it takes longer than ${this.limits.maxSeconds} s`);
  }
}

/** The output of a zlib stream up to its end, or up to the piece that has a fault. */
export interface Inflated {
  bytes: Uint8Array;
  fault?: Error;
}

/**
 * Inflates at most the first `size` bytes of a zlib stream, which may be truncated. A large output is made in pieces,
 * so that the event loop is not blocked.
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
 * Inflates a damaged stream up to the last whole row before the fault. zlib returns nothing of the piece that has the
 * fault, so each piece is one row.
 * @param row bytes per row
 */
export async function inflateRows(
  data: Uint8Array,
  size: number,
  row: number,
  deadline: Deadline,
): Promise<Uint8Array> {
  // zlib's pieces have at least 64 bytes
  return row < 64 || size / row > MANY
    ? inflateBefore(data, size, deadline)
    : (await inflatePieces(data, size, row, deadline)).bytes;
}

/** Inflates the longest prefix of the stream that has no fault (found by bisection), and drops its last byte. */
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
  const target = Buffer.allocUnsafeSlow(size); // only the part that is written takes memory and is returned
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

/** Returns an error that the stream's content causes, and throws any other. */
function streamFault(error: unknown): Error {
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (error instanceof Refusal || code === 'Z_MEM_ERROR' || /allocation failed/.test(message)) throw error;
  return error as Error;
}
