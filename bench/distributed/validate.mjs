// Compares the simulation with the measured steps. The simulation gets steps of one process, steps of two processes
// that exchange nothing, and the link.
import { createRequire } from 'node:module';

const { simulateStep } = createRequire(import.meta.url)('./simulate.js');

/**
 * @param results the results of measureDistributed
 * @param {number} cores the cores of the machine
 * @returns {{ run: object, expected: import('./simulate').Step, error: number }[]} error: the expected step ÷ the
 * measured one, − 1
 */
export function validate({ runs, models, link }, cores) {
  return runs.map((run) => {
    const cluster = { ranks: run.worldSize, link, cores: cores / run.worldSize };
    const expected = simulateStep(workOf(run, runs, models[run.model]), cluster);
    return { run, expected, error: expected.step / run.step.node.seconds - 1 };
  });
}

/**
 * Continues the simulation of the runs in which each rank of `tiny` has the whole batch.
 * @param results the results of measureDistributed
 * @param {number} cores the cores of the machine
 * @param {number[]} worldSizes
 * @returns {{ worldSize: number, here: number, apart: number, alone: number }[]} seconds of a step: on the cores of
 * this machine, with a core for each rank and the same link, and of one rank
 */
export function extrapolate({ runs, models, link }, cores, worldSizes) {
  const largest = runs.findLast((run) => run.model === 'tiny' && run.weak);
  const one = runs.find((run) => run.model === 'tiny' && run.weak);
  const stepOf = (run, ranks, coresOfRank) =>
    simulateStep(workOf(run, runs, models.tiny, ranks), { ranks, link, cores: coresOfRank }).step;
  return worldSizes.map((worldSize) => ({
    worldSize,
    here: stepOf(largest, worldSize, cores / worldSize),
    apart: stepOf(one, worldSize, 1),
    alone: stepOf(one, 1, 1),
  }));
}

/**
 * Returns the work of a rank, from steps of one process. Two processes at a time are slower, because they share the
 * memory of the machine. The time of the loss grows with the square of the pairs of all ranks.
 */
function workOf({ model, worldSize, pairs }, runs, { buckets, buffers, embedDim, loss }, ranks = worldSize) {
  const measured = (ranks, size) =>
    runs.find((run) => run.model === model && run.worldSize === ranks && run.pairs === size);
  const sizes = runs.filter((run) => run.model === model).map((run) => run.pairs);
  const [most, least] = [Math.max(...sizes), measured(1, Math.min(...sizes))];
  const filling = least.step.node.backward - least.alone.node.backward; // time to copy gradients into their buckets
  const crowded = worldSize === 1 ? 1 : measured(2, most).alone.node.seconds / measured(1, most).alone.node.seconds;
  const one = measured(1, pairs).alone.node;
  const backward = crowded * (one.backward + filling);
  const moreLoss = (loss.seconds * ((ranks * pairs) ** 2 - pairs ** 2)) / loss.pairs ** 2;
  return {
    forward: crowded * (one.forward + moreLoss),
    backward,
    optimizer: crowded * one.optimizer,
    buckets: buckets.map(({ bytes, at }) => ({ bytes, at: (at / buckets.at(-1).at) * backward })),
    features: 2 * 4 * pairs * embedDim,
    featureGradients: false,
    buffers,
    agreement: 0,
    data: 0,
  };
}
