import fc from 'fast-check';

import { allReduceSeconds, type Cluster, simulateStep, type Work } from '../../bench/distributed/simulate';

const seconds = fc.double({ min: 0.001, max: 10, noNaN: true });
const bytes = fc.integer({ min: 1, max: 1e9 });

/** Work whose buckets are ready in order within backward. */
const anyWork: fc.Arbitrary<Work> = fc
  .record({
    forward: seconds,
    backward: seconds,
    optimizer: seconds,
    shares: fc.array(fc.tuple(bytes, fc.double({ min: 0, max: 1, noNaN: true })), { minLength: 1, maxLength: 8 }),
    features: bytes,
    featureGradients: fc.boolean(),
    buffers: fc.integer({ min: 0, max: 1e6 }),
    agreement: fc.integer({ min: 0, max: 1e3 }),
  })
  .map(({ shares, ...rest }) => {
    const at = shares.map(([, share]) => share * rest.backward).sort((a, b) => a - b);
    return { ...rest, buckets: shares.map(([size], i) => ({ bytes: size, at: at[i] })), data: 0 };
  });

/** With idle processors enough, unless said otherwise. */
const anyCluster: fc.Arbitrary<Cluster> = fc.record({
  ranks: fc.integer({ min: 2, max: 512 }),
  link: fc.record({
    bandwidth: fc.double({ min: 1e6, max: 1e12, noNaN: true }),
    latency: fc.double({ min: 0, max: 1e-3, noNaN: true }),
    cores: fc.constant(0),
  }),
  cores: fc.constant(Infinity),
});
const free = { bandwidth: Infinity, latency: 0, cores: 0 };
const computing = ({ forward, backward, optimizer }: Work): number => forward + backward + optimizer;

const holds = (property: (work: Work, cluster: Cluster) => void): void =>
  fc.assert(fc.property(anyWork, anyCluster, property), { seed: 1, numRuns: 300 });

test('the ring sends 2(W − 1)/W of the bytes, in 2(W − 1) messages', () => {
  expect(allReduceSeconds(800, 4, { bandwidth: 100, latency: 0.5, cores: 0 })).toBeCloseTo(6 * 0.5 + 12, 12);
});

test('a step by hand: two buckets, of which the second waits for the first', () => {
  const work = {
    agreement: 0,
    forward: 2,
    backward: 4,
    optimizer: 1,
    buckets: [
      { bytes: 300, at: 1 },
      { bytes: 200, at: 2 },
    ],
    features: 100,
    featureGradients: false,
    buffers: 50,
    data: 0,
  };
  const cluster = { ranks: 2, link: { bandwidth: 100, latency: 0, cores: 0 }, cores: Infinity };
  // Buffers 0.5, features 1; buckets 3 from 1 to 4 and 2 from 4 to 6, of which backward hides 3.
  expect(simulateStep(work, cluster)).toEqual({
    step: 3.5 + 6 + 1,
    agreement: 0,
    forward: 3.5,
    backward: 6,
    optimizer: 1,
    backwardAlone: 4,
    exchange: 5,
    overlap: 0.6,
  });
  // On one core a rank that exchanging keeps half busy: both take 1.5 times as long while both go on, from 1 to 5.5,
  // and 2 s of the exchange are left.
  expect(simulateStep(work, { ...cluster, link: { ...cluster.link, cores: 0.5 }, cores: 1 }).backward).toBeCloseTo(
    1 + 3 * 1.5 + 2,
    12,
  );
});

test('agreeing goes before a step on the CPU, and on beside a step of a GPU', () => {
  const work = {
    agreement: 8,
    forward: 2,
    backward: 4,
    optimizer: 1,
    buckets: [],
    features: 0,
    featureGradients: false,
    buffers: 0,
    data: 0,
  };
  const cluster = { ranks: 5, link: free, control: { bandwidth: 16, latency: 1, cores: 0 } };
  const seconds = 4 * (1 + 0.5);
  expect(simulateStep(work, { ...cluster, cores: 1 })).toMatchObject({
    step: seconds + 7,
    agreement: seconds,
    forward: seconds + 2,
  });
  expect(simulateStep(work, { ...cluster, cores: Infinity })).toMatchObject({
    step: 7,
    agreement: seconds,
    forward: 2,
  });
  expect(simulateStep(work, { ...cluster, ranks: 9, cores: Infinity })).toMatchObject({ step: 12, agreement: 12 });
  expect(simulateStep(work, { ...cluster, ranks: 1, cores: 1 })).toMatchObject({ step: 7, agreement: 0 });
});

test('one rank is one process', () => {
  holds((work, cluster) => {
    const { step, exchange, overlap } = simulateStep({ ...work, featureGradients: false }, { ...cluster, ranks: 1 });
    expect(step).toBeCloseTo(computing(work), 9);
    expect([exchange, overlap]).toEqual([0, NaN]);
  });
});

test('a network that takes no time leaves what is computed', () => {
  holds((work, cluster) => expect(simulateStep(work, { ...cluster, link: free }).step).toBeCloseTo(computing(work), 9));
});

test('gradients that are all ready last cannot be hidden: the times add up', () => {
  holds((work, cluster) => {
    const late = { ...work, buckets: work.buckets.map(({ bytes: size }) => ({ bytes: size, at: work.backward })) };
    const { backward, backwardAlone, exchange, overlap } = simulateStep(late, cluster);
    expect(backward / (backwardAlone + exchange)).toBeCloseTo(1, 9);
    expect(Math.abs(overlap * exchange)).toBeLessThan(1e-6 * backward);
  });
});

test('backward takes as long as the longer of computing and exchanging at least, and as both together at most', () => {
  holds((work, cluster) => {
    const { backward, backwardAlone, exchange } = simulateStep(work, cluster);
    expect(backward).toBeGreaterThanOrEqual(Math.max(backwardAlone, exchange) * (1 - 1e-9));
    expect(backward).toBeLessThanOrEqual((backwardAlone + exchange) * (1 + 1e-9));
  });
});

test('more bandwidth, less latency or more cores are never slower', () => {
  holds((work, cluster) => {
    const { link } = cluster;
    const shared = { ...cluster, link: { ...link, cores: 0.7 }, cores: 0.5 };
    const { step } = simulateStep(work, shared);
    const better: Cluster[] = [
      { ...shared, link: { ...shared.link, bandwidth: 2 * link.bandwidth } },
      { ...shared, link: { ...shared.link, latency: link.latency / 2 } },
      { ...shared, cores: 1 },
    ];
    for (const one of better) expect(simulateStep(work, one).step).toBeLessThanOrEqual(step * (1 + 1e-9));
  });
});

test('ranks that share a core take turns', () => {
  holds((work, cluster) => {
    const halved = simulateStep(work, { ...cluster, link: free, cores: 0.5 });
    expect(halved.step / computing(work)).toBeCloseTo(2, 9);
  });
});

test('a step is not shorter than its data takes', () => {
  holds((work, cluster) => {
    const { step } = simulateStep(work, cluster);
    expect(simulateStep({ ...work, data: 2 * step }, cluster).step).toBe(2 * step);
  });
});
