/** The state of a training loop: how far the run is. */
export interface LoopState {
  /** epochs that are finished */
  epoch: number;
  /** batches of the next epoch that are done already */
  batch: number;
  /** optimizer steps of the whole run */
  step: number;
}

/**
 * The values that decide the order of the training set in an epoch. A position within an epoch is only valid for the
 * same order.
 */
export interface Order {
  /** rows of the training set */
  examples: number;
  batchSize: number;
  seed: number;
}

/**
 * Describes what has changed between two orders. It returns undefined when nothing has changed, or `before` is not
 * known.
 */
export function changeOf(before: Order | undefined, now: Order, batchFlag = '--batch_size'): string | undefined {
  if (before === undefined) return undefined;
  const names = { examples: 'the size of the training set', batchSize: batchFlag, seed: '--seed' };
  const changed = (Object.keys(names) as (keyof Order)[]).filter((key) => before[key] !== now[key]);
  return changed.map((key) => `${names[key]} is ${now[key]} and was ${before[key]}`).join(', ') || undefined;
}
