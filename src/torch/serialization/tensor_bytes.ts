import { systemError } from '../../files';
import { addon } from '../addon';
import { tidy } from '../scope';
import { type Tensor } from '../tensor';
import { elementSize } from './placement';

/**
 * So many bytes are written at once, up to twice as many; tensors of other devices come to this one in pieces of that
 * size.
 */
const batchBytes = 64 * 2 ** 20;

/** Elements of a tensor's storage, and the place in a file that they are written at. */
export interface ElementRun {
  readonly position: number;
  readonly tensor: Tensor;
  readonly start: number;
  readonly count: number;
}

/**
 * Writes runs of elements, from any device, on all threads.
 * @returns the CRC-32 of each run's bytes
 */
export function writeElements(fd: number, runs: readonly ElementRun[]): number[] {
  const crcs = runs.map(() => 0);
  for (const pieces of batchesOf(runs)) {
    tidy(() => {
      const elements = pieces.map(
        ({ tensor, start, count }) => tensor.as_strided([count], [1], start).to({ device: 'cpu' }).handle,
      );
      const written = addon().writeTensors(
        fd,
        elements,
        pieces.map(({ position }) => position),
        pieces.map(({ run }) => crcs[run]),
      );
      if (typeof written === 'number') throw systemError(written, 'write');
      pieces.forEach(({ run }, i) => (crcs[run] = written[i]));
    });
  }
  return crcs;
}

interface Piece extends ElementRun {
  /** place of the run it is of; no batch has two pieces of one run */
  readonly run: number;
}

function* batchesOf(runs: readonly ElementRun[]): Iterable<Piece[]> {
  let pieces: Piece[] = [];
  let bytes = 0;
  for (const [run, { position, tensor, start, count }] of runs.entries()) {
    const size = elementSize(tensor.dtype);
    const longest = batchBytes / size;
    for (let done = 0; done < count; done += longest) {
      const length = Math.min(longest, count - done);
      pieces.push({ run, position: position + done * size, tensor, start: start + done, count: length });
      bytes += length * size;
      if (bytes < batchBytes) continue;
      yield pieces;
      pieces = [];
      bytes = 0;
    }
  }
  if (pieces.length > 0) yield pieces;
}
