// The command line that the fuzzers share.
const { parseArgs } = require('node:util');

const { fuzz } = require('./supervise');

/** Runs a fuzz as its command line says; exits with 1 when there is a fault. */
exports.command = async (kind) => {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' }, // of the first job
      jobs: { type: 'string', default: '1' }, // at once, each with a seed of its own
      first: { type: 'string', default: '0' }, // the index of the first call
      count: { type: 'string' }, // calls of each job
      seconds: { type: 'string' }, // of time, instead
      schemas: { type: 'string', default: '.' }, // a regular expression
      patience: { type: 'string', default: '30' }, // seconds on one call before it counts as hanging
    },
  });
  const started = Date.now();
  const options = {
    kind,
    first: Number(values.first),
    count: Number(values.count ?? (values.seconds ? Infinity : 2000)),
    pattern: values.schemas,
    seconds: Number(values.seconds ?? Infinity),
    patience: 1000 * Number(values.patience),
  };
  const report = ({ seed, index, label, source, then, what }) =>
    console.log(
      `FAULT --seed ${seed} --first ${index} --count 1: ${label}\n  ${what}\n  ${source}${then ? ` then ${then}` : ''}`,
    );
  const jobs = Array.from({ length: Number(values.jobs) }, (_, i) =>
    fuzz({ ...options, seed: Number(values.seed) + i }, report),
  );
  const all = (await Promise.all(jobs)).reduce((sum, one) =>
    Object.fromEntries(Object.keys(sum).map((key) => [key, sum[key] + one[key]])),
  );
  console.log(
    `${all.calls} calls, ${all.results} results, ${all.refused} errors with a code, ${all.faults} faults ` +
      `in ${Math.round((Date.now() - started) / 1000)} s`,
  );
  process.exitCode = all.faults > 0 ? 1 : 0;
};
