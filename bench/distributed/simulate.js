// Simulates the time of a step of data parallel training. All ranks do the same at the same moment, so that one rank is
// enough.
/** @typedef {import('./simulate').Link} Link */

/** Returns the seconds of consecutive messages around the ring, each of `bytes` bytes. */
const ring = (messages, bytes, { latency, bandwidth }) => messages * (latency + bytes / bandwidth);

/** Seconds of a ring all-reduce: each rank sends 2(W − 1) times a W-th of the bytes. @param {Link} link */
const allReduceSeconds = (bytes, ranks, link) => ring(2 * (ranks - 1), bytes / ranks, link);

/**
 * Seconds of a ring all-gather of `bytes` bytes per rank; a reduce-scatter to as many bytes takes as long.
 * @param {Link} link
 */
const allGatherSeconds = (bytes, ranks, link) => ring(ranks - 1, bytes, link);

/** Seconds of a broadcast along a binomial tree. @param {Link} link */
const broadcastSeconds = (bytes, ranks, link) => ring(Math.ceil(Math.log2(ranks)), bytes, link);

/** The fraction of an exchange that is hidden behind the computation at the same time. */
const overlapOf = (alone, exchange, together) => (exchange === 0 ? NaN : (alone + exchange - together) / exchange);

/**
 * Simulates forward, backward and optimizer of a rank. Where computation and exchange together want more cores than
 * there are, both slow down by the same factor.
 * @param {import('./simulate').Work} work
 * @param {import('./simulate').Cluster} cluster
 * @returns {import('./simulate').Step}
 */
function simulateStep(work, { ranks, link, control = link, cores }) {
  const slowed = (wanted) => Math.max(1, wanted / cores);
  const computing = slowed(1);
  const exchanging = slowed(link.cores);

  const gather = ranks === 1 ? 0 : allGatherSeconds(work.features, ranks, link);
  const buffers = ranks === 1 || work.buffers === 0 ? 0 : broadcastSeconds(work.buffers, ranks, link);
  const agreement =
    ranks === 1 || work.agreement === 0 ? 0 : allGatherSeconds(work.agreement, ranks, control) * slowed(control.cores);
  const ahead = cores === Infinity; // a GPU computes a step while the CPU agrees on the next one
  const forward = (ahead ? 0 : agreement) + work.forward * computing + (buffers + gather) * exchanging;
  const buckets = work.buckets.map(({ bytes, at }) => ({
    seconds: ranks === 1 ? 0 : allReduceSeconds(bytes, ranks, link),
    at,
  }));
  const scatter = work.featureGradients ? gather * exchanging : 0;
  const backward =
    scatter + overlapped(work.backward, buckets, { computing, exchanging, both: slowed(1 + link.cores) });
  const backwardAlone = scatter + work.backward * computing;
  const exchange = buckets.reduce((sum, { seconds }) => sum + seconds, 0) * exchanging;
  const optimizer = work.optimizer * computing;
  return {
    step: Math.max(forward + backward + optimizer, work.data, agreement),
    agreement,
    forward,
    backward,
    optimizer,
    backwardAlone,
    exchange,
    overlap: overlapOf(backwardAlone, exchange, backward),
  };
}

/**
 * Returns the seconds until everything is computed and exchanged. The buckets are exchanged one after another, each
 * from the time at which it is ready.
 * @param {number} total seconds of computation
 * @param {{ seconds: number, at: number }[]} buckets seconds of each exchange, and of computation before it
 * @param {{ computing: number, exchanging: number, both: number }} slow factors by which seconds grow during
 * computation alone, exchange alone, and both at once
 */
function overlapped(total, buckets, slow) {
  let [time, computed] = [0, 0];
  for (const { seconds, at } of buckets) {
    const wait = Math.max(0, at - computed);
    time += wait * slow.computing;
    computed += wait;
    const together = Math.min(seconds, total - computed);
    time += together * slow.both + (seconds - together) * slow.exchanging;
    computed += together;
  }
  return time + (total - computed) * slow.computing;
}

module.exports = { allReduceSeconds, allGatherSeconds, broadcastSeconds, simulateStep, overlapOf };
