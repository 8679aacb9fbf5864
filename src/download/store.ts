import { closeSync, mkdirSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';

import { WorkerPool } from '../data/worker_pool';
import { asWriteError, systemError } from '../files';
import { addon } from '../torch/addon';

/** How images are stored. */
export interface StoreRecipe {
  format: 'png' | 'jpg' | 'original';
  /** short side in pixels */
  size: number;
  maxPixels: number;
}

/** What a server sent, and the file to write. */
export interface Incoming {
  bytes: Uint8Array;
  path: string;
}

/** The image that was written: its size as it came in pixels, and the ending of its name. Or why there is none. */
export type Stored = { width: number; height: number; ending: string } | { error: string };

const MOST_THREADS = 32;

/** Makes the stored images on a thread for each core, and gives them their names. */
export class Store {
  private readonly parts: string;
  private readonly pool: WorkerPool<Incoming, Stored>;
  private next = 0;

  /**
   * @param images folder of the images; it is made if needed
   * @param work folder of the download's own files, on the same disk; parts of a killed run there are removed
   * @throws CleanclipError `ERR_DATA` when the folders cannot be made
   */
  constructor(
    private readonly images: string,
    work: string,
    recipe: StoreRecipe,
  ) {
    this.parts = join(work, 'parts');
    try {
      rmSync(this.parts, { recursive: true, force: true });
      for (const folder of [images, this.parts]) mkdirSync(folder, { recursive: true });
    } catch (error) {
      throw asWriteError(images, error);
    }
    const threads = Math.min(MOST_THREADS, availableParallelism());
    this.pool = new WorkerPool(join(__dirname, 'store_worker.js'), recipe, threads);
  }

  /** Writes an image under a temporary name. */
  async make(bytes: Uint8Array): Promise<Stored & { part: string }> {
    const part = join(this.parts, String(this.next++));
    return { ...(await this.pool.run({ bytes, path: part })), part };
  }

  /** Gives a written image its name. */
  keep(part: string, image: string): void {
    const path = join(this.images, image);
    try {
      mkdirSync(dirname(path), { recursive: true });
      renameSync(part, path);
    } catch (error) {
      throw asWriteError(path, error);
    }
  }

  /** Waits until the disk has all images, so that a csv never names one that a power cut takes. */
  sync(): void {
    const folder = openSync(this.images, 'r');
    try {
      const errno = addon().syncFileSystem(folder);
      if (errno !== 0) throw asWriteError(this.images, systemError(-errno, 'syncfs'));
    } finally {
      closeSync(folder);
    }
  }

  /** Whether there is an image of this name. A power cut may leave an empty one, which is none. */
  has(image: string): boolean {
    return (statSync(join(this.images, image), { throwIfNoEntry: false })?.size ?? 0) > 0;
  }

  /** Ends the threads, and removes what is not kept. */
  async close(): Promise<void> {
    await this.pool.close();
    rmSync(this.parts, { recursive: true, force: true });
  }
}
