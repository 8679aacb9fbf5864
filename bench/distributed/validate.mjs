// Does the simulation give the steps that were measured? It is told of steps of one process, of two that exchange
// nothing, and of the link.
import { createRequire } from 'node:module';

const { simulateStep } = createRequire(import.meta.url)('./simulate.js');

/**
 * @param results of measureDistributed
 * @param {number} cores of the machine
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
 * What a rank has to do, from steps of one process; two at a time are slower, because they share the memory of the
 * machine.
 */
function workOf({ model, worldSize, pairs }, runs, { buckets, buffers, embedDim }) {
  const measured = (ranks, size) =>
    runs.find((run) => run.model === model && run.worldSize === ranks && run.pairs === size);
  const sizes = runs.filter((run) => run.model === model).map((run) => run.pairs);
  const [most, least] = [Math.max(...sizes), measured(1, Math.min(...sizes))];
  const filling = least.step.node.backward - least.alone.node.backward; // gradients are copied into their buckets
  const crowded = worldSize === 1 ? 1 : measured(2, most).alone.node.seconds / measured(1, most).alone.node.seconds;
  const one = measured(1, pairs).alone.node;
  const backward = crowded * (one.backward + filling);
  return {
    forward: crowded * one.forward,
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
