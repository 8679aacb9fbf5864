// Calls operators with plausible arguments, every tensor beside a page without access: a crash, a hang, a tensor left
// over or an error without a code is a fault, and the exit code is 1. node test/fuzz/operators.js --seed 1 --count
// 100000 [--first 0] [--jobs 2] [--schemas 'aten::conv'] [--seconds 600]
require('./command').command('operators');
