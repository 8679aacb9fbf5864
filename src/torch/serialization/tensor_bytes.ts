import { systemError } from '../../files';
import { addon } from '../addon';
import { tidy } from '../scope';
import { type Tensor } from '../tensor';
import { elementSize } from './placement';

/**
 * Bytes written at once, up to twice as many. Tensors of other devices are copied to the CPU in pieces of this size.
 */
const batchBytes = 64 * 2 ** 20;

/** Elements of a tensor's storage, and the position in a file where they are written. */
export interface ElementRun {
  readonly position: number;
  readonly tensor: Tensor;
  readonly start: number;
  readonly count: number;
}

/** Returns the elements of a run as a tensor of one dimension, on its device. */
export const elementsOf = ({ tensor, start, count }: Omit<ElementRun, 'position'>): Tensor =>
  tensor.as_strided([count], [1], start);

/**
 * Writes runs of elements, from any device, on all threads.
 * @returns the CRC-32 of the bytes of each run
 */
export function writeElements(fd: number, runs: readonly ElementRun[]): number[] {
  const crcs = runs.map(() => 0);
  for (const pieces of batchesOf(runs)) {
    tidy(() => {
      const elements = pieces.map((piece) => elementsOf(piece).to({ device: 'cpu' }).handle);
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
  /** index of the run that it belongs to; a batch never has two pieces of one run */
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
