import type { Resolved } from '../options/define';
import type { Preparation, prepareFlags } from '../options/prepare';

/** Options of `prepare`: the flags of `cleanclip prepare` in camelCase. */
export type PrepareOptions = Resolved<typeof prepareFlags> & { set: Preparation; input: string };

/** What `prepare` wrote. */
export interface PrepareResult {
  /** absolute path of the csv or tsv */
  output: string;
  /** number of its rows */
  rows: number;
  /** number of different images */
  images: number;
  /** number of rows whose image is not there, which `allowMissing` allows */
  missing: number;
  /** number of files in tars that belong to no pair, or rows without a caption, which are left out */
  leftOut: number;
}

/** Is called between steps, with how far the preparation is; it throws when the job is aborted. */
export type Check = (done: number, total: number, text: string) => void;

/** A preparation. */
export type Prepare = (options: PrepareOptions, check: Check) => Promise<PrepareResult>;
