#!/usr/bin/env node
require('../dist/cli/cleanclip_train.js');
