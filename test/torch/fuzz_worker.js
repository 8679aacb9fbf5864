// Calls random operators with random arguments: node fuzz_worker.js <journal> <seed> <first> <last> [operator name].
// Every call is drawn from the seed and its number alone. It is written into the journal before it is made, so that
// whoever watches knows what crashed or hangs; on a clean end the journal holds the counts.
const { openSync, writeSync } = require('node:fs');

const { addon } = require('../../dist/torch/addon');
const { torch } = require('../../dist/torch');
const { draws, parameters, randomArguments } = require('./fuzz_arguments');

const [journalFile, seed, first, last, only] = process.argv.slice(2);
const journal = openSync(journalFile, 'w');
const length = 4000;
const write = (text) => writeSync(journal, text.slice(0, length).padEnd(length), 0);

const schemas = addon().operatorSchemas().filter((schema) => only === undefined || schema.startsWith(`${only}(`) || schema.startsWith(`${only}.`));
const operators = schemas.map((schema) => {
  const [, namespace, name] = /^(\w+)::(\w+)/.exec(schema);
  return { schema, call: torch.ops[namespace][name], parameters: parameters(schema) };
});

torch.setNumThreads(1 + (Number(seed) % 2));
const counts = { calls: 0, results: 0, refused: {} };

function use(value, draw) {
  if (Array.isArray(value)) for (const item of value) use(item, draw);
  if (!(value instanceof torch.Tensor)) return;
  const elements = value.shape.reduce((product, size) => product * size, 1);
  if (elements > 1e6 || Math.max(...value.shape) > 1e6) return;
  if (value.requiresGrad && draw.chance(0.5)) value.sum().backward();
  value.toArray();
}

function attempt(number) {
  const draw = draws(Math.imul(Number(seed), 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b));
  const operator = draw.pick(operators);
  const { args, describe } = randomArguments(torch, draw, operator.parameters);
  write(`seed ${seed} call ${number}: ${operator.schema} with ${describe()}`);
  counts.calls++;
  const result = operator.call(...args);
  counts.results++;
  use(result, draw);
}

for (let number = Number(first); number < Number(last); number++) {
  torch.tidy(() => {
    try {
      attempt(number);
    } catch (error) {
      if (error.code !== 'ERR_TORCH' && error.code !== 'ERR_TORCH_OOM') throw error;
      counts.refused[error.code] = (counts.refused[error.code] ?? 0) + 1;
    }
  });
  if (torch.memory().tensors !== 0) throw new Error(`call ${number} left ${torch.memory().tensors} tensors`);
}
write(JSON.stringify(counts));
