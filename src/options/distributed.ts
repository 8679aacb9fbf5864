import { flag, integer, integers, number, text } from './define';

/** The options of jobs that run in several processes, the ranks. */
export const distributedOptions = {
  distributed: flag(
    'run in several processes (ranks), each with its share of the batch, one per GPU; under srun, its tasks are ' +
      'the ranks',
  ),
  nproc_per_node: integer({
    doc: 'ranks of --distributed to start on this machine',
    default: undefined,
    min: 1,
    unit: 'ranks',
    defaultText: 'one for each of --device_ids, else for each GPU, else 2',
  }),
  nnodes: integer({
    doc: 'machines of --distributed; give the command on each',
    default: 1,
    min: 1,
    unit: 'machines',
  }),
  node_rank: integer({ doc: 'index of this machine among --nnodes, from 0', default: undefined, unit: 'index' }),
  device_ids: integers({ doc: "indices of the ranks' GPUs on this machine, one per rank", unit: 'index' }),
  distributed_backend: text({
    doc: 'library that exchanges tensors between ranks; gloo replaces nccl where GPUs or NCCL are missing',
    default: 'nccl',
    choices: ['nccl', 'gloo'],
  }),
  distributed_init_method: text({
    doc: 'where the ranks meet: a free port of the machine of rank 0, tcp://host:port',
    default: undefined,
    unit: 'address',
    defaultText: 'MASTER_ADDR and MASTER_PORT, else chosen on one machine and under srun',
  }),
  bucket_cap_mb: number({
    doc: 'size of the buckets in which ranks exchange gradients',
    default: undefined,
    above: 0,
    unit: 'MiB',
    defaultText: '25, but 1 for the first',
  }),
  distributed_timeout: integer({
    doc: 'time that ranks wait for one another before they give up',
    default: 1800,
    min: 1,
    max: 2_147_483,
    unit: 'seconds',
  }),
};
