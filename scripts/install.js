// npm's install script. In a clone it compiles the TypeScript first. Then it makes the addon, as `cleanclip setup`
// does.
const { spawnSync } = require('node:child_process');
const { existsSync } = require('node:fs');
const { join } = require('node:path');

const root = join(__dirname, '..');

if (existsSync(join(root, 'src'))) {
  const { status } = spawnSync(process.execPath, [require.resolve('typescript/bin/tsc'), '-p', root], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(1);
}

const { setup } = require('../dist/setup/setup.js');
try {
  setup();
} catch (error) {
  if (error.code !== 'ERR_NATIVE') throw error;
  console.error(`cleanclip: ${error.message}`);
  process.exit(1);
}
