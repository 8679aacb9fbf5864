import { freemem } from 'node:os';
import { resolve } from 'node:path';

import { CleanclipError } from '../../errors';
import { writeFully, writeWholeAsync } from '../../files';
import { addon } from '../addon';
import { tidy } from '../scope';
import { elementSize } from './placement';
import { type ElementRun, elementsOf, writeElements } from './tensor_bytes';

/** Takes the content of a file, each part with its position. */
export interface FileSink {
  /** Takes bytes. They must not change afterwards. */
  write(bytes: Uint8Array, position: number): void;
  /**
   * Takes runs of elements, from any device.
   * @returns the CRC-32 of the bytes of each run
   */
  writeElements(runs: readonly ElementRun[]): number[];
}

/** Makes a sink that writes to an open file at once; memory use stays flat. */
export const intoFile = (fd: number): FileSink => ({
  write: (bytes, position) => writeFully(fd, bytes, position),
  writeElements: (runs) => writeElements(fd, runs),
});

/** Holds a file in memory, with copies of the tensors, and writes it later. */
export class FileImage implements FileSink {
  private readonly image = addon().createFileImage();
  private readonly bytes: Uint8Array[] = [];
  private readonly positions: number[] = [];

  write(bytes: Uint8Array, position: number): void {
    this.bytes.push(bytes);
    this.positions.push(position);
  }

  /** @throws CleanclipError `ERR_TORCH_OOM` when there is not enough memory for a copy */
  writeElements(runs: readonly ElementRun[]): number[] {
    const size = runs.reduce((sum, { tensor, count }) => sum + count * elementSize(tensor.dtype), 0);
    if (size > freeMemory())
      throw new CleanclipError('There is not enough memory for a copy of the tensors.', 'ERR_TORCH_OOM');
    return tidy(() =>
      addon().copyToImage(
        this.image,
        runs.map((run) => elementsOf(run).handle),
        runs.map(({ position }) => position),
      ),
    );
  }

  /**
   * Writes the file on another thread, once. It appears whole or not at all.
   * @throws CleanclipError `ERR_DATA` when the disk refuses
   */
  writeTo(path: string): Promise<void> {
    return writeWholeAsync(path, (fd, temporary) =>
      addon().writeImage(this.image, this.bytes, this.positions, fd, resolve(temporary), resolve(path)),
    );
  }
}

/** Returns the bytes that this process may still take from the machine and from its container. */
function freeMemory(): number {
  const limit = process.constrainedMemory() || Infinity;
  return Math.min(freemem(), limit - process.memoryUsage.rss());
}
