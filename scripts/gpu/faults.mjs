// Stage (g): memory that runs out, in an operator and in a job, and a run that is killed and goes on.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import cleanclip from '../../dist/index.js';
import { lossesOf, runCommand, trainFlags } from './runs.mjs';
import { check, device, folder, inputs, jobDevice, keep, must, rehearsal } from './stage.mjs';

const { torch } = cleanclip;
const GIB = 2 ** 30;
const STEPS = 40;

await check('an operator that asks for too much is refused by code, and the next one runs', () => {
  const error = errorOf(() => torch.empty([2 ** 50], { dtype: 'uint8', device }));
  must(error?.code === 'ERR_TORCH_OOM', `it gave ${error?.code}: ${error?.message}`);
  must(torch.ones([3], { device }).sum().item() === 3, 'the next sum is wrong');
  return error.message;
});

if (!rehearsal)
  await check('a job that runs out of memory ends by code; with memory it runs, in the same process', async () => {
    const train = (name, batchSize) =>
      cleanclip.train({
        trainData: join(inputs, 'pairs.csv'),
        modelName: 'ViT-B/32',
        logs: folder,
        name,
        batchSize,
        maxSteps: 2,
        device: jobDevice,
        precision: 'bf16',
      });
    const taken = fill(4 * GIB);
    const error = await train('without_memory', 1024).catch((reason) => reason);
    taken.forEach((tensor) => tensor.dispose());
    torch.cuda.emptyCache();
    must(error.code === 'ERR_TORCH_OOM', `it gave ${error.code}: ${error.message}`);
    const { history } = await train('with_memory', 256);
    must(history.length > 0, 'it has no history');
    return error.message;
  });

const flags = (name) => [
  ...trainFlags({ precision: 'fp32', max_steps: STEPS, batch_size: 64, save_every_steps: 5, resume: 'auto' }),
  ...['--name', name, '--logs', folder],
];
await check('a run that is killed goes on to the losses of one that is not', async () => {
  await runCommand(flags('whole'));
  const killed = join(folder, 'killed');
  const saved = join(killed, 'checkpoints/step.pt');
  const signal = await runCommand(flags('killed'), {
    kill: () => existsSync(saved) && lossesOf(killed).length > STEPS / 4,
  });
  must(signal === 'SIGKILL', 'it ended before it was killed');
  const steps = lossesOf(killed).length;
  await runCommand(flags('killed'));
  const [whole, resumed] = ['whole', 'killed'].map((name) => lossesOf(join(folder, name)));
  keep({ killed: { atStep: steps, whole, resumed } });
  must(resumed.length === STEPS, `it took ${resumed.length} steps of ${STEPS}`);
  const apart = Math.max(...whole.map((loss, i) => Math.abs(loss - resumed[i])));
  must(apart < (rehearsal ? 1e-6 : 0.1), `a loss is ${apart} from that of the whole run`);
  return { atStep: steps, apart };
});

function errorOf(fn) {
  try {
    fn();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Takes the device's memory but for so many bytes. */
function fill(left) {
  const taken = [];
  while (errorOf(() => taken.push(torch.empty([GIB], { dtype: 'uint8', device }))) === undefined);
  taken.splice(0, left / GIB).forEach((tensor) => tensor.dispose());
  torch.cuda.emptyCache();
  return taken;
}
