/** How far a run is: the state of its training loop. */
export interface LoopState {
  /** epochs that are finished */
  epoch: number;
  /** batches of the next epoch that are done already */
  batch: number;
  /** optimizer steps of the whole run */
  step: number;
}

/** What the order of the training set in an epoch follows from: a place within one means nothing in another. */
export interface Order {
  /** rows of the training set */
  examples: number;
  batchSize: number;
  seed: number;
}

/** What an order follows from and has changed, in words; undefined when nothing has, or nobody knows. */
export function changeOf(before: Order | undefined, now: Order, batchFlag = '--batch_size'): string | undefined {
  if (before === undefined) return undefined;
  const names = { examples: 'the size of the training set', batchSize: batchFlag, seed: '--seed' };
  const changed = (Object.keys(names) as (keyof Order)[]).filter((key) => before[key] !== now[key]);
  return changed.map((key) => `${names[key]} is ${now[key]} and was ${before[key]}`).join(', ') || undefined;
}
