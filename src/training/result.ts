/** The result of a finished training. */
export interface TrainResult {
  /** path of the last checkpoint */
  checkpoint: string;
  /** path of the best checkpoint: of the lowest validation loss, with validation data, or by `bestMetric` */
  bestCheckpoint?: string;
  /** the metric that chose it, and its value; absent without `bestCheckpoint` */
  best?: { metric: string; value: number };
  /** metrics of the last evaluation by name: losses, and accuracies and rates as fractions from 0 to 1 */
  metrics: Record<string, number>;
  /** every object of metrics.jsonl, in order */
  history: Record<string, unknown>[];
}
