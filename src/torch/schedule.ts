import { checkNumber } from '../arguments';

/**
 * The learning rate of a step: linear over the warm-up, (step + 1) / warmupSteps, then half a cosine to 0.
 * @param baseLr the rate at the end of the warm-up
 * @param warmupSteps optimizer steps of warm-up; 0 for none
 * @param totalSteps optimizer steps of the whole run
 * @returns step (from 0) → learning rate
 * @example
 * ```ts
 * const learningRate = cosineSchedule(5e-4, 10_000, 100_000);
 * optimizer.lr = learningRate(0); // 5e-8
 * ```
 */
export function cosineSchedule(baseLr: number, warmupSteps: number, totalSteps: number): (step: number) => number {
  checkNumber(baseLr, 'baseLr');
  checkNumber(warmupSteps, 'warmupSteps', 0);
  checkNumber(totalSteps, 'totalSteps', 0);
  return (step) =>
    step < warmupSteps
      ? (baseLr * (step + 1)) / warmupSteps
      : 0.5 * (1 + Math.cos((Math.PI * (step - warmupSteps)) / (totalSteps - warmupSteps))) * baseLr;
}
