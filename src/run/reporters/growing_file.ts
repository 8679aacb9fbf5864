import { closeSync, constants, fstatSync, ftruncateSync, openSync } from 'node:fs';
import { dirname } from 'node:path';

import { asWriteError, writeFully } from '../../files';
import { makeFolder } from '../../folders';

/**
 * A file that grows piece by piece. A piece that the disk refuses leaves nothing behind, so that the file can be read,
 * and grows on when the disk has room again.
 */
export class GrowingFile {
  private constructor(
    private readonly path: string,
    private readonly fd: number,
    private end: number,
  ) {}

  /**
   * Opens a file, which is made if needed with its folder, to grow at its end.
   * @throws CleanclipError `ERR_DATA` when it cannot be written
   */
  static open(path: string): GrowingFile {
    try {
      makeFolder(dirname(path));
      // not for appending, which heeds no position
      const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o666);
      return new GrowingFile(path, fd, fstatSync(fd).size);
    } catch (error) {
      throw asWriteError(path, error);
    }
  }

  /** The size of the file in bytes. */
  get size(): number {
    return this.end;
  }

  /**
   * Appends bytes, all or none.
   * @throws CleanclipError `ERR_DATA` when the disk refuses
   */
  append(bytes: Uint8Array): void {
    try {
      writeFully(this.fd, bytes, this.end);
      this.end += bytes.byteLength;
    } catch (error) {
      try {
        ftruncateSync(this.fd, this.end);
      } catch {
        // the next piece overwrites what was written of this one
      }
      throw asWriteError(this.path, error);
    }
  }

  /** Closes the file. */
  close(): void {
    closeSync(this.fd);
  }
}
