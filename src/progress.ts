/** What a job reports while it runs. */
export type ProgressEvent =
  /** a line of output.log */
  | { type: 'log'; level: 'INFO' | 'WARNING'; line: string }
  /** an object of metrics.jsonl */
  | { type: 'metrics'; record: Record<string, unknown> }
  /** how far the job is; `text` says more in words */
  | { type: 'progress'; done: number; total: number; text: string };

/** What every job takes beside its options. */
export interface JobHooks {
  /** called with each event, on the caller's thread */
  onProgress?: (event: ProgressEvent) => void;
  /** ends the job: training first saves where it is */
  signal?: AbortSignal;
}
