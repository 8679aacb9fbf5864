// Stage (d): an epoch of CleanCLIP over JPEG files with AutoAugment: what loading alone gives, and how long the steps
// wait for data.
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

import cleanclip from '../../dist/index.js';
import { check, folder, inputs, jobDevice, keep, must, rehearsal, stopwatch } from './stage.mjs';

const [model, batchSize] = rehearsal ? ['tiny', 16] : ['RN50', 256];
const trainData = join(inputs, 'pairs.csv');
const numWorkers = availableParallelism();

await check('loading alone', async () => {
  const table = await cleanclip.readPairs(trainData);
  const options = { batchSize, size: rehearsal ? 64 : 224, numWorkers, inmodal: true, cacheBytes: 0 };
  const loader = new cleanclip.PairLoader(table, options);
  let elapsed;
  let pairs = 0;
  for await (const batch of loader.epoch(1)) {
    if (elapsed === undefined)
      elapsed = stopwatch(); // the threads have started
    else pairs += batch.rows.length;
    batch.dispose();
  }
  await loader.close();
  const pairsPerSecond = pairs / elapsed();
  keep({ loading: { pairsPerSecond, pairsPerSecondAndCore: pairsPerSecond / numWorkers, numWorkers } });
  return { pairsPerSecond };
});

await check('an epoch of training', async () => {
  const checkpoint = join(folder, 'start.pt');
  const clip = cleanclip.loadClip(model, { seed: 1 });
  cleanclip.torch.save({ state_dict: clip.stateDict() }, checkpoint);
  clip.dispose();
  const elapsed = stopwatch();
  const { history } = await cleanclip.finetune({
    checkpoint,
    activation: 'quick_gelu',
    trainData,
    logs: folder,
    name: 'epoch',
    epochs: 1,
    batchSize,
    numWorkers,
    numWarmupSteps: 1,
    logEvery: rehearsal ? 1 : 4,
    device: jobDevice,
    precision: 'bf16',
  });
  const seconds = elapsed();
  const lines = history.filter(({ type }) => type === 'train');
  const warm = lines.slice(1); // the first steps choose algorithms
  const sum = (of) => warm.reduce((total, line) => total + of(line), 0);
  const time = sum((line) => line.time);
  const steps = lines.at(-1).step - lines[0].step;
  const epoch = {
    seconds,
    pairsPerSecond: (steps * batchSize) / time,
    dataWait: sum((line) => line.data_wait * line.time) / time,
    loss: lines.at(-1).loss,
  };
  keep({ model, batchSize, epoch });
  must(Number.isFinite(epoch.loss), `the loss is ${epoch.loss}`);
  return epoch;
});
