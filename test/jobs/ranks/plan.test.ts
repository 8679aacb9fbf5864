import { availableParallelism } from 'node:os';

import { type Plan, planRanks } from '../../../src/jobs/ranks/plan';
import { resolve } from '../../../src/options/define';
import type { TrainInput } from '../../../src/options/inputs.gen';
import { trainOptions } from '../../../src/options/train';

const plan = (input: TrainInput, env: NodeJS.ProcessEnv = {}): Promise<Plan> =>
  planRanks(resolve(trainOptions, { trainData: 'a.csv', batchSize: 24, ...input }), env);
const threads = (ranks: number): string => String(Math.max(1, Math.floor(availableParallelism() / ranks)));
const slurm = {
  SLURM_STEP_ID: '0',
  SLURM_PROCID: '1',
  SLURM_NTASKS: '2',
  SLURM_STEP_NODELIST: 'a[1-2]',
  SLURM_JOB_ID: '12',
};

test('without --distributed a job runs in this process', async () => {
  expect(await plan({})).toEqual({});
  expect(await plan({}, slurm)).toEqual({});
});

test('a process that a launcher has made a rank starts nothing, with --distributed or without', async () => {
  for (const distributed of [true, false])
    expect(await plan({ distributed }, { WORLD_SIZE: '3', RANK: '1' })).toEqual({});
});

test('ranks on one machine meet at a free port and share the cores', async () => {
  const { start = [], join } = await plan({ distributed: true, nprocPerNode: 3 });
  const { MASTER_PORT } = start[0];
  expect(Number(MASTER_PORT)).toBeGreaterThan(1023);
  expect(start).toEqual(
    ['0', '1', '2'].map((rank) => ({
      RANK: rank,
      WORLD_SIZE: '3',
      LOCAL_RANK: rank,
      LOCAL_WORLD_SIZE: '3',
      MASTER_ADDR: '127.0.0.1',
      MASTER_PORT,
      OMP_NUM_THREADS: threads(3),
    })),
  );
  expect(join).toBeUndefined();
});

test('the number of ranks: that of the GPUs named, else 2 on CPUs', async () => {
  expect((await plan({ distributed: true, deviceIds: [3, 1, 0] })).start).toHaveLength(3);
  expect((await plan({ distributed: true, device: 'cpu' })).start).toHaveLength(2);
});

test('ranks of the second of two machines', async () => {
  const input: TrainInput = {
    distributed: true,
    nprocPerNode: 2,
    nnodes: 2,
    nodeRank: 1,
    distributedInitMethod: 'tcp://10.0.0.7:7308',
  };
  const { start } = await plan(input, { OMP_NUM_THREADS: '5' });
  const shared = {
    WORLD_SIZE: '4',
    LOCAL_WORLD_SIZE: '2',
    MASTER_ADDR: '10.0.0.7',
    MASTER_PORT: '7308',
    OMP_NUM_THREADS: '5',
  };
  expect(start).toEqual([
    { RANK: '2', LOCAL_RANK: '0', ...shared },
    { RANK: '3', LOCAL_RANK: '1', ...shared },
  ]);
});

test.each([
  ['tcp://[fd00::7]:99', {}, { MASTER_ADDR: 'fd00::7', MASTER_PORT: '99' }],
  ['tcp://head:99', { MASTER_ADDR: 'other', MASTER_PORT: '1' }, { MASTER_ADDR: 'head', MASTER_PORT: '99' }],
  [undefined, { MASTER_ADDR: 'other', MASTER_PORT: '1' }, { MASTER_ADDR: 'other', MASTER_PORT: '1' }],
  [undefined, { MASTER_PORT: '1' }, { MASTER_ADDR: '127.0.0.1', MASTER_PORT: '1' }],
])('with the flag %p and %p in the environment ranks meet at %p', async (distributedInitMethod, env, met) => {
  expect((await plan({ distributed: true, nprocPerNode: 1, distributedInitMethod }, env)).start).toMatchObject([met]);
});

test('a task of srun joins as a rank, unless it is to start ranks for several machines', async () => {
  expect(await plan({ distributed: true }, slurm)).toMatchObject({
    join: { RANK: '1', WORLD_SIZE: '2', MASTER_ADDR: 'a1', MASTER_PORT: '20012' },
  });
  const starting: TrainInput = {
    distributed: true,
    nnodes: 2,
    nodeRank: 1,
    nprocPerNode: 1,
    distributedInitMethod: 'tcp://a1:7308',
  };
  expect((await plan(starting, slurm)).start).toMatchObject([{ RANK: '1', MASTER_PORT: '7308' }]);
  expect((await plan({ distributed: true, nprocPerNode: 4 }, { ...slurm, SLURM_NTASKS: '1' })).start).toHaveLength(4);
});

test.each<[TrainInput, NodeJS.ProcessEnv, string]>([
  [{ nprocPerNode: 2 }, {}, '--nproc_per_node is for --distributed; add that flag, or leave it out.'],
  [{ nnodes: 2 }, {}, '--nnodes is for --distributed; add that flag, or leave it out.'],
  [{ deviceIds: [0] }, {}, '--device_ids is for --distributed; add that flag, or name one GPU with --device_id.'],
  [
    { distributed: true, nprocPerNode: 2 },
    { WORLD_SIZE: '2' },
    '--nproc_per_node starts ranks, but WORLD_SIZE is set: this process is one already; leave out the flag, or ' +
      'unset the variable.',
  ],
  [
    { distributed: true, nprocPerNode: 2 },
    slurm,
    '--nproc_per_node starts ranks, but SLURM_PROCID is set: this process is one already; leave out the flag, ' +
      'or unset the variable.',
  ],
  [
    { distributed: true, distributedInitMethod: 'tcp://head:99' },
    { WORLD_SIZE: '2', MASTER_ADDR: 'head', MASTER_PORT: '99' },
    '--distributed_init_method says where ranks meet, but WORLD_SIZE is set: this process is one, which meets ' +
      'the others at MASTER_ADDR and MASTER_PORT; leave out the flag, or unset the variable.',
  ],
  [
    { distributed: true, device: 'cpu', deviceIds: [0] },
    {},
    '--device_ids names GPUs, but --device is cpu; leave one of them out.',
  ],
  [{ distributed: true, deviceIds: [1, 1] }, {}, '--device_ids must name each GPU once, but is 1 1.'],
  [
    { distributed: true, deviceIds: [0, 1], nprocPerNode: 3 },
    {},
    '--nproc_per_node is 3, but --device_ids names 2 GPUs; leave one of them out.',
  ],
  [{ distributed: true, nnodes: 2 }, {}, '--nnodes 2 needs --node_rank, which of the machines this is: 0 to 1.'],
  [{ distributed: true, nnodes: 2, nodeRank: 2 }, {}, '--node_rank must be below 2, the number of --nnodes, but is 2.'],
  [
    { distributed: true, nnodes: 2, nodeRank: 0, nprocPerNode: 1 },
    {},
    '--nnodes 2 needs --distributed_init_method tcp://<host of node 0>:<port>, the same on every node.',
  ],
  [
    { distributed: true, nprocPerNode: 1, distributedInitMethod: 'head:99' },
    {},
    "--distributed_init_method must be tcp://host:port, but is 'head:99'.",
  ],
  [
    { distributed: true, nprocPerNode: 5 },
    {},
    '--batch_size is divided among 5 ranks, but is 24; make it a multiple of 5.',
  ],
  [
    { distributed: true, nprocPerNode: 2, accumFreq: 5 },
    {},
    '--batch_size is divided among 2 ranks in 5 parts, but is 24; make it a multiple of 10.',
  ],
  [
    { finetune: true, trainData: undefined },
    { WORLD_SIZE: '3' },
    '--linear_probe_batch_size is divided among 3 ranks, but is 80; make it a multiple of 3.',
  ],
  [{}, { WORLD_SIZE: '7' }, '--batch_size is divided among 7 ranks, but is 24; make it a multiple of 7.'],
  [
    { distributed: true },
    { ...slurm, SLURM_NTASKS: '7' },
    '--batch_size is divided among 7 ranks, but is 24; make it a multiple of 7.',
  ],
])('refuses %j with %j in the environment', async (input, env, message) => {
  await expect(plan(input, env)).rejects.toMatchObject({ code: 'ERR_OPTION', message });
});
