#!/usr/bin/env node
// Images are decoded on libuv's threads, whose number is read once, at the first use.
process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, require('node:os').availableParallelism()));
require('../dist/cli/cleanclip_train.js');
