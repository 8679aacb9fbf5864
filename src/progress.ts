/** An event that a job reports while it runs. */
export type ProgressEvent =
  /** a line of output.log */
  | { type: 'log'; level: 'INFO' | 'WARNING'; line: string }
  /** an object of metrics.jsonl */
  | { type: 'metrics'; record: Record<string, unknown> }
  /** how far the job is: `done` of `total`; `text` says what is counted */
  | { type: 'progress'; done: number; total: number; text: string };

/** Hooks that every job takes beside its options. */
export interface JobHooks {
  /** called with each event, on the caller's thread; default: events are dropped */
  onProgress?: (event: ProgressEvent) => void;
  /** aborts the job, which throws `ERR_ABORTED`; training saves its last step first */
  signal?: AbortSignal;
}
