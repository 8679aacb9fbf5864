/** What one model scores; shares of 1. */
export interface Scores {
  /** Clean accuracy on the held-out drawings. */
  ca: number;
  /** Clean accuracy on new pictures of the drawings trained on. */
  ca_seen: number;
  /** Attack success rate: triggered pictures of other classes that are taken for the target. */
  asr: number;
  /** Accuracy on the triggered pictures. */
  ca_triggered: number;
}

/** How many independent drawings each score stands on. */
export type Drawings = Record<keyof Scores, number>;

const columns: [keyof Scores, string][] = [
  ['ca', 'CA, held-out drawings'],
  ['ca_seen', 'CA, seen drawings'],
  ['asr', 'ASR'],
  ['ca_triggered', 'CA with trigger'],
];

/**
 * The 95% Wilson score interval of a share of `n` independent trials (Wilson 1927).
 *
 * @returns the lower and upper end, shares of 1
 */
export function wilson(share: number, n: number): [number, number] {
  const z = 1.959964;
  const centre = (share + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n))) / (1 + (z * z) / n);
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}

/** A table in plain text: a row for each model, a column for each score, in percent with its 95% interval. */
export function formatTable(models: Record<string, Scores>, drawings: Drawings): string {
  const rows = Object.entries(models).map(([model, scores]) => [
    model,
    ...columns.map(([score]) => percent(scores[score], drawings[score])),
  ]);
  const lines = [['', ...columns.map(([, title]) => title)], ...rows];
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  return lines
    .map((line) => line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('   '))
    .join('\n');
}

function percent(share: number, n: number): string {
  const [low, high] = wilson(share, n).map((end) => (100 * end).toFixed(1));
  return `${(100 * share).toFixed(1)} (${low}–${high})`;
}
