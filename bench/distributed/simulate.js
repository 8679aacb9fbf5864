// A step of data parallel training in time. All ranks do the same at the same moment, so one of them is followed.
/** @typedef {import('./simulate').Link} Link */

/** Messages one after another around the ring, each of so many bytes. */
const ring = (messages, bytes, { latency, bandwidth }) => messages * (latency + bytes / bandwidth);

/** Of a ring all-reduce: each rank sends 2(W − 1) times a W-th of the bytes. @param {Link} link */
const allReduceSeconds = (bytes, ranks, link) => ring(2 * (ranks - 1), bytes / ranks, link);

/**
 * Of a ring all-gather of so many bytes of each rank; a reduce-scatter that leaves so many takes as long. @param {Link}
 * link
 */
const allGatherSeconds = (bytes, ranks, link) => ring(ranks - 1, bytes, link);

/** Of a broadcast along a binomial tree. @param {Link} link */
const broadcastSeconds = (bytes, ranks, link) => ring(Math.ceil(Math.log2(ranks)), bytes, link);

/** The share of an exchange that is hidden behind what is computed meanwhile. */
const overlapOf = (alone, exchange, together) => (exchange === 0 ? NaN : (alone + exchange - together) / exchange);

/**
 * Forward, backward and optimizer of a rank. Where computing and exchanging together want more cores than there are,
 * both slow down alike.
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
 * Seconds until all is computed and exchanged. The buckets go one after another, each from when it is ready.
 * @param {number} total seconds to compute
 * @param {{ seconds: number, at: number }[]} buckets
 * @param {{ computing: number, exchanging: number, both: number }} slow factors on the seconds of either while the one,
 * the other or both go on
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
