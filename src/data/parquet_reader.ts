import { join } from 'node:path';

import { dataError } from '../errors';
import type { ParquetColumns, ParquetDescription, ParquetRow, Task } from './parquet_file';
import { WorkerPool } from './worker_pool';

/** A row of a parquet file, or why it cannot be read, as the end of a sentence. */
export interface ReadRow {
  /** from 0 */
  row: number;
  value?: ParquetRow;
  reason?: string;
}

/** The threads that read parquet files. */
export type ParquetThreads = WorkerPool<Task, unknown>;

const THREADS = 2; // each reads a row group, and has it in memory

/** Starts the threads that read parquet files. The caller closes them. */
export const parquetThreads = (): ParquetThreads =>
  new WorkerPool(join(__dirname, 'parquet_worker.js'), undefined, THREADS);

const LEAST_SECONDS = 30; // that a row group may take
const SLOWEST = 1 << 20; // bytes per second
const MOST_FAULTS = 1 << 20; // rows of a damaged row group that are named, because its number of rows may be forged

/** Reads a parquet file on threads of its own, because hyparquet is an ES module, and can hang on a damaged file. */
export class ParquetReader {
  private description: ParquetDescription | undefined;

  /** @param seconds that a small row group may take */
  constructor(
    private readonly file: string,
    private readonly threads: ParquetThreads,
    private readonly seconds = LEAST_SECONDS,
  ) {}

  /**
   * Says what the file holds.
   * @throws CleanclipError ERR_DATA: the file is missing or no parquet
   */
  async describe(): Promise<ParquetDescription> {
    return (this.description ??= (await this.run({ file: this.file, group: 0 })) as ParquetDescription);
  }

  /** The number of rows that the file says it has. */
  async length(): Promise<number> {
    const { rows } = await this.describe();
    return rows.reduce((sum, each) => sum + each, 0);
  }

  /**
   * Yields the rows in their order. Those of a row group that cannot be read have a reason.
   * @throws CleanclipError ERR_DATA: the disk fails, or a row group takes too long
   */
  async *rows(columns: ParquetColumns): AsyncGenerator<ReadRow> {
    const { rows } = await this.describe();
    const ahead: Promise<ParquetRow[] | string>[] = [];
    let first = 0;
    for (let group = 0; group < rows.length; group++) {
      while (ahead.length < THREADS && group + ahead.length < rows.length) {
        const next = this.run({ file: this.file, group: group + ahead.length, columns });
        next.catch(() => {}); // it is thrown when its turn comes, unless another was thrown before
        ahead.push(next as Promise<ParquetRow[] | string>);
      }
      const found = (await ahead.shift())!;
      const isFault = typeof found === 'string';
      for (let i = 0; i < (isFault ? Math.min(rows[group], MOST_FAULTS) : found.length); i++)
        yield isFault ? { row: first + i, reason: found } : { row: first + i, value: found[i] };
      if (!isFault && found.length !== rows[group])
        yield { row: first + found.length, reason: `its row group has ${found.length} rows instead of ${rows[group]}` };
      first += rows[group];
    }
  }

  private async run(task: Task): Promise<unknown> {
    const bytes = Math.max(0, ...(this.description?.columns.map(({ largest }) => largest) ?? []));
    const seconds = this.seconds + (2 * bytes) / SLOWEST;
    const timer = setTimeout(() => {
      tooLong = true;
      void this.threads.terminate();
    }, 1000 * seconds);
    let tooLong = false;
    try {
      return await this.threads.run(task);
    } catch (error) {
      if (!tooLong) throw error;
      throw dataError(
        `Expected a readable parquet file in '${this.file}', but its row group ${task.group + 1} was not read within ` +
          `${Math.round(seconds)} seconds; the file may be damaged, so make or download it again.`,
        error,
      );
    } finally {
      clearTimeout(timer);
    }
  }
}
