// Calls that a fuzz must find, for the test of the fuzz itself.
const { addon } = require('../../dist/torch/addon');

const sources = [
  't.ones([2])',
  'fuzzedAddon.readAt(t.ones([4]).handle, 24)',
  '(() => { throw new RangeError("x"); })()',
  '(() => { for (;;); })()',
  't.ones([1])',
];

exports.prepare = () => {
  globalThis.fuzzedAddon = addon();
  return (_, index) => ({ label: 'broken', source: sources[index], then: '' });
};
