// Which room of src/ may import which: only those below it, and nothing in a circle. Types count.

/** The rooms from the top to the bottom; files in src/ itself are leaves, but for the entrance. */
const rooms = [
  'cli',
  'jobs',
  'report',
  'plot',
  'training',
  'embeddings',
  'evaluation',
  'convert',
  'download',
  'prepare',
  'classify',
  'run',
  'backdoor',
  'losses',
  'clip',
  'options',
  'data',
  'augment',
  'text',
  'images',
  'torch',
  'setup',
  'lock',
];

const entrance = '^src/(index|public)\\.ts$';
const leaves = '^src/(?!index\\.ts|public\\.ts)[^/]+\\.ts$';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-circle', severity: 'error', from: {}, to: { circular: true } },
    { name: 'leaves-are-below', severity: 'error', from: { path: leaves }, to: { path: '^src/[^/]+/' } },
    {
      name: 'nothing-imports-the-entrance',
      severity: 'error',
      from: { pathNot: '^src/public\\.ts' },
      to: { path: entrance },
    },
    ...rooms.slice(1).map((room, i) => ({
      name: `${room}-is-below`,
      severity: 'error',
      from: { path: `^src/${room}/` },
      to: { path: `^src/(${rooms.slice(0, i + 1).join('|')})/`, pathNot: '^src/backdoor/names\\.ts$' },
    })),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: 'operators\\.gen\\.ts$' }, // the generated list of Tensor's methods names Tensor
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
