// A process of heart_stopped.test.ts, which stops it and lets it go on: rank 1 of two that waits in a collective, or
// the host of a store.
const { setInterval } = require('node:timers');

const { torch } = require('../../../dist');
const { addon } = require('../../../dist/torch/addon');

const { TCPStore } = torch.distributed;
const host = '127.0.0.1';
const held = [];

const roles = {
  waits: async (port) => {
    const store = await TCPStore.create({ host, port: Number(port) });
    const heart = await addon().startHeart(store.native, 1, 2, true, 3000);
    addon().heartBegins(heart, true);
    held.push(heart);
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
