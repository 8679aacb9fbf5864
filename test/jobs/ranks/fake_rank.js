// A rank for tests: does what the options order for its number, in the messages of a real one.
const { setTimeout: sleep } = require('node:timers/promises');

process.on('SIGINT', () => {}).on('SIGTERM', () => {});
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));

const rank = Number(process.env.RANK);
const aborted = new Promise((resolve) => {
  process.on('message', (message) => (message === 'abort' ? resolve() : main(message.options)));
});
const say = (message) => new Promise((said) => process.send(message, said));
const event = (event) => say({ type: 'event', event });
const done = (result) => say({ type: 'done', result }).then(() => process.exit());
const fail = (code, message) => say({ type: 'failed', code, message }).then(() => process.exit());

const orders = {
  work: async () => {
    await event({ type: 'log', level: 'INFO', line: `line of ${rank}` });
    await event({ type: 'progress', done: rank, total: 9, text: '' });
    console.log('from native code');
    console.error('a warning');
    await done(
      new Map([
        ['rank', rank],
        ['world', process.env.WORLD_SIZE],
        ['threads', process.env.OMP_NUM_THREADS],
      ]),
    );
  },
  fail: (code, message, after = 0) => sleep(after).then(() => fail(code, message)),
  failSaving: async (milliseconds) => {
    await sleep(milliseconds);
    await event({ type: 'log', level: 'WARNING', line: 'saved' });
    await fail('ERR_DISTRIBUTED', 'The connection broke.');
  },
  die: (signal) => process.kill(process.pid, signal),
  exit: (code) => process.exit(code),
  hang: () => sleep(60_000),
  save: async (milliseconds) => {
    await event({ type: 'log', level: 'INFO', line: 'ready' });
    await aborted;
    await sleep(milliseconds);
    await fail('ERR_ABORTED', 'It was stopped; it is saved.');
  },
};

async function main(options) {
  await event({ type: 'log', level: 'INFO', line: `pid ${process.pid}` });
  const [order, ...args] = options.orders[rank];
  await orders[order](...args);
}
