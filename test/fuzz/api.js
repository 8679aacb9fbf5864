// Calls torch's functions and the methods of tensors with values of every kind, as operators.js calls operators.
//   node test/fuzz/api.js --seed 1 --count 100000 [--first 0] [--jobs 2] [--seconds 600]
require('./command').command('api');
