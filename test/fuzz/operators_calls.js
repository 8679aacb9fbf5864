// The calls of `operators.js`: every operator that may be called, drawn evenly.
const { addon } = require('../../dist/torch/addon');
const { drawCall } = require('./arguments');
const { callable } = require('./schemas');

/** A function that draws a call: `{ label, source, then }`. */
exports.prepare = (torch, pattern) => {
  const operators = callable(addon().operatorSchemas(), pattern);
  if (operators.length === 0) throw new Error(`No schema matches ${pattern}.`);
  return (draw) => {
    const operator = draw.pick(operators);
    return { label: operator.schema, ...drawCall(draw, operator) };
  };
};
