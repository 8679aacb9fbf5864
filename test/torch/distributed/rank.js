// One rank: waits until all have loaded, joins the group, runs scenarios, sends their values or an error to the test,
// and leaves the group.
const { once } = require('node:events');

const { torch } = require('../../../dist');
const scenarios = { ...require('./scenarios'), ...require('./joined_scenarios') };

const { orders, noGroup, group } = JSON.parse(process.argv[2]);
const { distributed } = torch;

const send = (outcome) => new Promise((sent) => process.send({ outcome }, sent));

async function main() {
  process.send('ready');
  await once(process, 'message');
  if (!noGroup) await distributed.initProcessGroup(group);
  const values = [];
  for (const [scenario, ...args] of orders)
    values.push(await scenarios[scenario]({ ...group, group, torch, distributed }, ...args));
  await send({ values });
  if (distributed.isInitialized()) await distributed.destroyProcessGroup();
}

main()
  .catch(({ name, code, message }) => send({ error: { name, code, message } }))
  .finally(() => process.disconnect());
