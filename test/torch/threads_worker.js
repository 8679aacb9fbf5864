// What threads.test.ts runs in a worker thread: each message is an order.
const { parentPort, workerData } = require('node:worker_threads');
const { torch } = require(workerData.torch);

const orders = {
  add: () => torch.ones([2]).add(1).toArray(),
  make: () => torch.share(torch.full([3], 7)),
  scale: (token) => torch.take(token).mul_(2).toArray(),
  fail: () => torch.ones([2]).add(torch.ones([3])),
  autocast: () => torch.autocast({}, () => torch.ones([1, 1]).mm(torch.ones([1, 1])).dtype),
  multiply: () => {
    for (;;)
      torch.tidy(() =>
        torch
          .randn([200, 200])
          .mm(torch.randn([200, 200]))
          .sum()
          .item(),
      );
  },
  fill: () => {
    const kept = [];
    for (;;) kept.push(torch.zeros([1000]));
  },
};

parentPort.on('message', ([order, ...rest]) => {
  try {
    parentPort.postMessage({ value: orders[order](...rest) });
  } catch ({ name, code, message }) {
    parentPort.postMessage({ error: { name, code, message } });
  }
});
parentPort.postMessage('ready');
