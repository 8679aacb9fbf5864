// Takes a lock when its standard input says so, prints how that went, and holds it until it is killed. node
// lock_holder.js FILE system|file
const { lock } = require('../../dist/lock/index.js');
const { addon } = require('../../dist/torch/addon.js');

const [file, kind] = process.argv.slice(2);
const flock = kind === 'system' ? (fd) => addon().lockFile(fd) : undefined;
if (kind === 'system') addon();
console.log('ready');
process.stdin.once('data', () => {
  try {
    lock(file, { refusal: (holder) => new Error(`held by ${holder}`), flock });
    console.log('taken');
  } catch (error) {
    console.log(error.message);
  }
});
