import { checkNumber } from '../arguments';

/**
 * Makes CleanCLIP's schedule of the learning rate (cosine_scheduler of its src/scheduler.py). In the warm-up the rate
 * is baseLr · (step + 1) / warmupSteps; then it falls to 0 as half a cosine.
 * @param baseLr the rate at the end of the warm-up
 * @param warmupSteps optimizer steps of warm-up; 0 for none
 * @param totalSteps optimizer steps of the whole run, with the warm-up
 * @returns a function from the step, 0 … totalSteps - 1, to its learning rate; after these steps the rate rises again
 * @throws CleanclipError `ERR_OPTION` for an argument that is no finite number, or for steps below 0
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
