#!/usr/bin/env node
require('../dist/cli/cleanclip.js');
