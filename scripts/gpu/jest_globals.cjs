// The functions that test files take from jest, on Node's own test runner: jest itself takes 30 MB.
const { format } = require('node:util');

const { expect } = require('expect');
const nodeTest = require('node:test');

/** Gives a function of node:test jest's forms: `each`, `skip`, and functions that take no context. */
function jestForm(run) {
  const form = (name, fn) => void run(name, () => fn());
  form.each = (table) => (name, fn) => {
    for (const row of table) {
      const values = Array.isArray(row) ? row : [row];
      form(format(name, ...values.slice(0, (name.match(/%/g) ?? []).length)), () => fn(...values));
    }
  };
  return form;
}

const [test, describe] = [jestForm(nodeTest.test), jestForm(nodeTest.describe)];
test.skip = jestForm(nodeTest.test.skip);
describe.skip = jestForm(nodeTest.describe.skip);
const hooks = Object.fromEntries(
  ['beforeAll', 'beforeEach', 'afterAll', 'afterEach'].map((hook) => [
    hook,
    (fn) => nodeTest[hook.replace('All', '')](() => fn()),
  ]),
);
Object.assign(globalThis, { expect, test, it: test, describe, ...hooks });
