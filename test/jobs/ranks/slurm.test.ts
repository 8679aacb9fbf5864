import { firstHost, slurmRank, slurmTasks } from '../../../src/jobs/ranks/slurm';

const step = {
  SLURM_JOB_ID: '4710123',
  SLURM_STEP_ID: '2',
  SLURM_PROCID: '5',
  SLURM_NTASKS: '7',
  SLURM_LOCALID: '1',
  SLURM_NODEID: '2',
  SLURM_STEP_NODELIST: 'node[07-09,12],gpu3',
  SLURM_STEP_TASKS_PER_NODE: '2(x3),1',
};

test.each([
  ['node[07-09,12],gpu3', 'node07'],
  ['gpu3,node[07-09]', 'gpu3'],
  ['login', 'login'],
  ['rack[2,4]-node[10-12].cluster,other', 'rack2-node10.cluster'],
  ['node[001]', 'node001'],
])('the first host of %s is %s', (list, host) => {
  expect(firstHost(list)).toBe(host);
});

test('a task of a step is the rank of its number', () => {
  expect(slurmTasks(step)).toBe(7);
  expect(slurmRank({ ...step, SLURM_CPUS_PER_TASK: '6' }, {})).toEqual({
    RANK: '5',
    WORLD_SIZE: '7',
    LOCAL_RANK: '1',
    LOCAL_WORLD_SIZE: '2',
    MASTER_ADDR: 'node07',
    MASTER_PORT: '20125',
    OMP_NUM_THREADS: '6',
  });
  expect(slurmRank({ ...step, SLURM_NODEID: '3' }, {})).toMatchObject({ LOCAL_WORLD_SIZE: '1' });
});

test('a task that sees one GPU alone takes that', () => {
  expect(slurmRank({ ...step, CUDA_VISIBLE_DEVICES: '3' }, {}).LOCAL_RANK).toBe('0');
  expect(slurmRank({ ...step, CUDA_VISIBLE_DEVICES: '2,3' }, {}).LOCAL_RANK).toBe('1');
});

test('the older name of the step, and its number of tasks where a job has more', () => {
  const { SLURM_STEP_ID, ...older } = step;
  expect(slurmTasks({ ...older, SLURM_STEPID: SLURM_STEP_ID, SLURM_STEP_NUM_TASKS: '3' })).toBe(3);
});

test('what is given of the meeting point and the threads goes before', () => {
  expect(slurmRank({ ...step, OMP_NUM_THREADS: '3' }, { MASTER_PORT: '7308' })).toMatchObject({
    MASTER_ADDR: 'node07',
    MASTER_PORT: '7308',
    OMP_NUM_THREADS: '3',
  });
  expect(slurmRank(step, { MASTER_ADDR: 'head' })).toMatchObject({ MASTER_ADDR: 'head', MASTER_PORT: '20125' });
});

test('a batch script is not a step', () => {
  expect(slurmTasks({ ...step, SLURM_STEP_ID: undefined })).toBe(1);
});
