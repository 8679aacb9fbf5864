/** What a finished training gives. */
export interface TrainResult {
  /** the last checkpoint */
  checkpoint: string;
  /** the one with the least validation loss; only with validation data */
  bestCheckpoint?: string;
  /** of the last evaluation */
  metrics: Record<string, number>;
  /** every object of metrics.jsonl */
  history: Record<string, unknown>[];
}
