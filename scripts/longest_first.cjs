const { default: Sequencer } = require('@jest/test-sequencer');

// A minute or more each: begun last, they would run on alone when the other core has nothing left to do.
const longest = ['examples/quickstart/run', 'training/ranks', 'training/train', 'parity/checkpoint'];

/** jest's order of suites, but the longest come first. */
module.exports = class LongestFirst extends Sequencer {
  sort(tests) {
    const [first, rest] = [[], []];
    for (const test of super.sort(tests))
      (longest.some((name) => test.path.endsWith(`/${name}.test.ts`)) ? first : rest).push(test);
    return [...first, ...rest];
  }
};
