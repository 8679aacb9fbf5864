// c10d looks up the name of each connection's other end: without this a resolver that does not answer holds a store up
// for 5 s.
process.env.RES_OPTIONS ??= 'timeout:1 attempts:1';

/** @type {import('jest').Config} */
module.exports = {
  rootDir: __dirname,
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  transform: { '\\.ts$': '@swc/jest' },
  // Tests import from src/, and what runs is the built dist/: worker threads and spawned commands need that.
  moduleNameMapper: { '^((?:\\.\\./)+)src(/.*)?$': '$1dist$2', '^cleanclip$': '<rootDir>/dist/public.js' },
  modulePathIgnorePatterns: ['<rootDir>/build/', '<rootDir>/.cache/'],
  maxWorkers: 2,
  testSequencer: '<rootDir>/scripts/longest_first.cjs',
  testTimeout: 60_000,
  workerGracefulExitTimeout: 5000, // unloading libtorch takes longer than jest's half a second
};
