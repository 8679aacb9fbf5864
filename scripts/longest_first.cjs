const { default: Sequencer } = require('@jest/test-sequencer');

// These take a minute or more each. If one began last, it would run alone while the other core is idle.
const longest = ['examples/quickstart/run', 'training/ranks', 'training/train', 'parity/checkpoint'];

/** Orders suites as jest does, except that the longest come first. */
module.exports = class LongestFirst extends Sequencer {
  sort(tests) {
    const [first, rest] = [[], []];
    for (const test of super.sort(tests))
      (longest.some((name) => test.path.endsWith(`/${name}.test.ts`)) ? first : rest).push(test);
    return [...first, ...rest];
  }
};
