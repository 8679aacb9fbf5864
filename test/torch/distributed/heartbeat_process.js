// A process of heartbeat_stopped.test.ts, which stops it and lets it go on: it is rank 1 of two and waits in a
// collective, or it hosts a store.
const { setInterval } = require('node:timers');

const { torch } = require('../../../dist');
const { addon } = require('../../../dist/torch/addon');

const { TCPStore } = torch.distributed;
const host = '127.0.0.1';
const held = [];

const roles = {
  waits: async (port) => {
    const store = await TCPStore.create({ host, port: Number(port) });
    const heartbeat = await addon().startHeartbeat(store.native, 1, 2, true, 3000);
    addon().beginOperation(heartbeat, true);
    held.push(heartbeat);
    return 'waiting';
  },
  hosts: async () => {
    const store = await TCPStore.create({ host, port: 0, isMaster: true });
    held.push(store);
    return String(store.port);
  },
};

const [, , role, ...args] = process.argv;
void roles[role](...args).then((message) => process.send(message));
setInterval(() => held, 1000);
