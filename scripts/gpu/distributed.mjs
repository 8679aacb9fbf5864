// Stage (e): NCCL with one rank, and two ranks over gloo that share the device, to the losses of one process.
import { join } from 'node:path';

import cleanclip from '../../dist/index.js';
import { freePort } from '../../dist/jobs/ranks/free_port.js';
import { lossesOf, runCommand, trainFlags } from './runs.mjs';
import { check, device, folder, keep, must, rehearsal, stopwatch } from './stage.mjs';

const { torch } = cleanclip;
const { distributed } = torch;
const STEPS = 6;
const backend = rehearsal ? 'gloo' : 'nccl';

await check(`collectives of one rank over ${backend}`, async () => {
  const store = await distributed.TCPStore.create({ host: '127.0.0.1', port: 0, isMaster: true });
  await distributed.initProcessGroup({ backend, store, rank: 0, worldSize: 1, timeout: 20_000 });
  const tensor = torch.arange(1 << 22, { dtype: 'float32' }).to(device);
  const elapsed = stopwatch();
  await distributed.allReduce(tensor);
  await distributed.broadcast(tensor, { src: 0 });
  const [gathered] = await distributed.allGather(tensor);
  const scattered = await distributed.reduceScatter(tensor);
  const seconds = elapsed();
  must(gathered.equal(tensor) && scattered.equal(tensor), 'the tensor has changed');
  await distributed.destroyProcessGroup();
  store.close();
  return { megabytes: 16, seconds };
});

const flags = trainFlags({ precision: 'fp32', max_steps: STEPS, batch_size: 64, inmodal: true });
let alone; // the losses of one process
alone = (await run('alone', [{}], []))?.losses;
await run(`one_rank_${backend}`, [{}], ['--distributed', '--nproc_per_node', '1', '--distributed_backend', backend]);
const port = String(await freePort());
const ranks = ['0', '1'].map((RANK) => ({
  RANK,
  WORLD_SIZE: '2',
  LOCAL_RANK: '0', // of the one device
  LOCAL_WORLD_SIZE: '2',
  MASTER_ADDR: '127.0.0.1',
  MASTER_PORT: port,
}));
const whole = ['--gather_with_grad', '--sync_batchnorm'];
await run('two_ranks_gloo', ranks, ['--distributed', '--distributed_backend', 'gloo', ...whole]);

/** Trains in a process for each environment, and compares the losses with those of one process. */
function run(name, environments, more) {
  return check(`a run: ${name}`, async () => {
    const args = [...flags, ...more, '--name', name, '--logs', folder];
    const elapsed = stopwatch();
    await Promise.all(environments.map((env) => runCommand(args, { env })));
    const losses = lossesOf(join(folder, name));
    keep({ [name]: { losses, seconds: elapsed() } });
    must(losses.length === STEPS, `it took ${losses.length} steps of ${STEPS}`);
    const apart = Math.max(...losses.map((loss, i) => Math.abs(loss - (alone ?? losses)[i])));
    must(apart < 0.02, `a loss is ${apart} from that of one process`);
    return { losses, apart };
  });
}
