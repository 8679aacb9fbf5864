// Measures steps of several ranks, ours and those of torch's DistributedDataParallel in turn. Also measures what the
// simulation needs of one process.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { layCable } from './cable.mjs';
import { openRanks } from './ranks.mjs';
import { measureTrainer } from './train.mjs';

const SIDES = ['node', 'torch'];

/**
 * The numbers of ranks that train each model, and the pairs of a batch. It is the batch of each rank (weak scaling), or
 * of all ranks together, in equal parts (strong scaling).
 */
const MODELS = { tiny: { batch: 32, worldSizes: [1, 2, 4, 8] }, medium: { batch: 8, worldSizes: [1, 2, 4] } };

/** Bits per second of the slow cable: an exchange of the larger model takes about as long as its backward. */
const CABLE = 2e9;

/**
 * @returns the runs, a run over a slow cable, the times to start and end, the steps of cleanclip-train, what each model
 * exchanges, and the loopback interface as a link
 */
export async function measureDistributed(environment, quick) {
  const [rounds, count] = quick ? [1, 1] : [4, 2];
  const roundsOf = (worldSize) => Math.min(rounds, worldSize > 4 ? 2 : 4);
  const results = { runs: [], cable: undefined, starts: [], trainer: [], models: {}, link: undefined };
  for (const [model, { batch, worldSizes }] of Object.entries(MODELS)) {
    const folder = inputsOf(model, worldSizes.at(-1) * batch, environment);
    for (const worldSize of worldSizes) {
      console.log(`${model} on ${worldSize} ranks …`);
      const groups = {};
      try {
        for (const side of SIDES) groups[side] = await openRanks(side, worldSize, folder, environment);
        checkSameWork(groups);
        const parts = worldSize === 1 ? worldSizes : [1, worldSize];
        const runs = parts.map((part) => ({
          model,
          worldSize,
          pairs: batch / part,
          weak: part === 1,
          strong: part === worldSize,
        }));
        const sizes = results.models[model]?.buckets.map(({ bytes }) => bytes);
        for (const run of runs)
          Object.assign(run, await measureRun(groups, run, sizes, { rounds: roundsOf(worldSize), count }));
        results.runs.push(...runs);
        if (worldSize === 1)
          [results.models[model]] = await groups.node.all({ action: 'profile', pairs: batch, repeats: rounds });
        // The link of the last model, the larger one, stays.
        if (worldSize === 2) results.link = await measureLink(groups.node, sizes, 2 * rounds);
        for (const side of SIDES) await groups[side].close();
      } finally {
        Object.values(groups).forEach((group) => group.kill());
      }
    }
  }
  results.cable = await measureCable(
    join(environment.folder, 'medium'),
    results.models.medium,
    { rounds, count },
    environment,
  );
  for (const worldSize of MODELS.tiny.worldSizes) {
    console.log(`start and trainer on ${worldSize} ranks …`);
    const lines = quick ? 2 : worldSize > 4 ? 3 : 6;
    results.starts.push(await measureStart(worldSize, join(environment.folder, 'tiny'), quick ? 1 : 2, environment));
    results.trainer.push(await measureTrainer(worldSize, MODELS.tiny.batch, lines, environment));
  }
  return results;
}

/** Writes the files that both sides read. Returns their folder. */
export function inputsOf(model, pairs, { root, folder, env }) {
  execFileSync(process.execPath, [join(root, 'bench', 'distributed', 'inputs.mjs'), folder, model, String(pairs)], {
    env,
    stdio: 'inherit',
  });
  return join(folder, model.replace('/', '-'));
}

function checkSameWork(groups) {
  const [ours, theirs] = SIDES.map((side) => groups[side].losses[0]);
  if (!(Math.abs(ours - theirs) < 1e-4 * theirs))
    throw new Error(
      `The loss of the first step should be the same on both sides, but it is ${ours} here and ${theirs} there.`,
    );
}

/**
 * Measures steps, steps without exchange, and the exchange without steps. Returns the lowest values of each side.
 */
async function measureRun(groups, { pairs, worldSize, weak }, sizes, { rounds, count }) {
  const taken = { step: { node: [], torch: [] }, alone: { node: [], torch: [] }, exchange: { node: [], torch: [] } };
  for (let round = 0; round < rounds; round++) {
    for (const side of SIDES) {
      const sent = loopbackBytes();
      const step = await slowest(groups[side], { action: 'steps', pairs, count, exchange: true });
      taken.step[side].push({ ...step, bytes: (loopbackBytes() - sent) / count });
      if (worldSize === 1 || weak)
        taken.alone[side].push(await slowest(groups[side], { action: 'steps', pairs, count, exchange: false }));
      if (worldSize > 1 && weak)
        taken.exchange[side].push(await slowest(groups[side], { action: 'exchange', sizes, count }));
    }
  }
  const bestOf = ({ node, torch }) => (node.length === 0 ? undefined : { node: best(node), torch: best(torch) });
  return { step: bestOf(taken.step), alone: bestOf(taken.alone), exchange: bestOf(taken.exchange) };
}

/** Returns the times of the slowest rank; of `cpu`, if the ranks count it, their mean. */
async function slowest(group, message) {
  const answers = await group.all(message);
  const last = answers.reduce((a, b) => (b.seconds > a.seconds ? b : a));
  if (last.cpu === undefined) return last;
  return { ...last, cpu: answers.reduce((sum, { cpu }) => sum + cpu, 0) / answers.length };
}

/** Returns the lowest of each value over the rounds. */
const best = (rounds) =>
  Object.fromEntries(Object.keys(rounds[0]).map((key) => [key, Math.min(...rounds.map((round) => round[key]))]));

/**
 * Measures the loopback interface between two ranks: its bandwidth by all buckets at once, its latency by four bytes.
 * An exchange through it keeps the rank's core busy.
 */
async function measureLink(group, sizes, rounds) {
  const measureBest = async (message) => {
    const all = [];
    for (let round = 0; round < rounds; round++)
      all.push((await slowest(group, { action: 'exchange', ...message })).seconds);
    return Math.min(...all);
  };
  const latency = (await measureBest({ sizes: [4], count: 100 })) / 2;
  const seconds = await measureBest({ sizes, count: 2 });
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  return { latency, bandwidth: bytes / (seconds - 2 * latency * sizes.length), cores: 1 };
}

/** Measures steps of the larger model on two ranks with the cable between them. Returns undefined without a cable. */
export async function measureCable(folder, { buckets }, repeats, environment) {
  console.log('medium over a slow cable …');
  const cable = layCable(CABLE);
  if (cable === undefined) return undefined;
  const groups = {};
  try {
    for (const side of SIDES) groups[side] = await openRanks(side, 2, folder, environment, cable);
    checkSameWork(groups);
    const run = {
      model: `medium, over a cable of ${CABLE / 1e9} Gbit/s`,
      worldSize: 2,
      pairs: MODELS.medium.batch,
      weak: true,
    };
    Object.assign(
      run,
      await measureRun(
        groups,
        run,
        buckets.map(({ bytes }) => bytes),
        repeats,
      ),
    );
    for (const side of SIDES) await groups[side].close();
    return run;
  } finally {
    Object.values(groups).forEach((group) => group.kill());
    cable.remove();
  }
}

/** Measures the time from the first process to the first step of all ranks, and from `close` until all have ended. */
async function measureStart(worldSize, folder, rounds, environment) {
  const taken = { node: [], torch: [] };
  for (let round = 0; round < rounds; round++) {
    for (const side of SIDES) {
      const group = await openRanks(side, worldSize, folder, environment);
      taken[side].push({ start: group.start, close: await group.close() });
    }
  }
  return { worldSize, node: best(taken.node), torch: best(taken.torch) };
}

/** Returns the bytes that all programs have sent on the loopback interface since the machine started. */
function loopbackBytes() {
  const [, counters] = readFileSync('/proc/net/dev', 'utf8').match(/^ *lo:(.*)$/m);
  return Number(counters.trim().split(/\s+/)[8]);
}
