// Does the simulation give the steps that were measured? It is told of steps of one process, of two that exchange nothing, and of the link.
import { createRequire } from 'node:module';

const { simulateStep } = createRequire(import.meta.url)('./simulate.js');

/**
 * @param results of measureDistributed
 * @param {number} cores of the machine
 * @returns {{ run: object, expected: import('./simulate').Step, error: number }[]} error: the expected step ÷ the measured one, − 1
 */
export function validate({ runs, models, link }, cores) {
  return runs.map((run) => {
    const cluster = { ranks: run.worldSize, link, cores: cores / run.worldSize };
    const expected = simulateStep(workOf(run, runs, models[run.model]), cluster);
    return { run, expected, error: expected.step / run.step.node.seconds - 1 };
  });
}

function workOf({ model, worldSize, pairs }, runs, { buckets, buffers, embedDim }) {
  const alone = (ranks, size) => runs.find((run) => run.model === model && run.worldSize === ranks && run.pairs === size).alone.node;
  const batch = Math.max(...runs.filter((run) => run.model === model).map((run) => run.pairs));
  const crowded = worldSize === 1 ? 1 : alone(2, batch).seconds / alone(1, batch).seconds; // two at a time share the machine's memory
  const [forward, backward, optimizer] = ['forward', 'backward', 'optimizer'].map((phase) => crowded * alone(1, pairs)[phase]);
  return {
    forward,
    backward,
    optimizer,
    buckets: buckets.map(({ bytes, at }) => ({ bytes, at: (at / buckets.at(-1).at) * backward })),
    features: 2 * 4 * pairs * embedDim,
    featureGradients: false,
    buffers,
    data: 0,
  };
}
