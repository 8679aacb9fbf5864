import { isDeepStrictEqual } from 'node:util';

import { Linear } from '../classify/classifier';
import { batchCount } from '../data/sampler';
import { dataError } from '../errors';
import { trainLinear } from '../evaluation/linear_probe';
import { IMAGES_A_BATCH } from '../evaluation/scorer';
import { TopK } from '../evaluation/top_k';
import type { LinearProbeOptions } from '../options/embeddings';
import type { JobHooks } from '../progress';
import { StepReporter } from '../run/step_reporter';
import { torch } from '../torch';
import { type Embeddings, readEmbeddings } from './file';

/**
 * Trains a linear classifier on the stored features of one labelled set, not normalised, and measures it on those of
 * another. It is the linear probe of the evaluation, without the model.
 * @returns `linear_probe_accuracy`, a fraction from 0 to 1
 * @throws CleanclipError `ERR_CHECKPOINT` or `ERR_DATA` for files that cannot be used, or not together; `ERR_ABORTED`
 * by the signal
 */
export async function runLinearProbe(
  options: LinearProbeOptions,
  { onProgress, signal }: JobHooks,
): Promise<{ linear_probe_accuracy: number }> {
  const read = (path: string, flag: string): Embeddings =>
    readEmbeddings(path, ['labels'], `make it with cleanclip embed ${flag}`);
  const train = read(options.trainEmbeddings!, '--eval_train_data_dir');
  const test = read(options.testEmbeddings!, '--eval_test_data_dir');
  checkTogether(train, test);
  const { numEpochs: epochs, batchSize, seed, lr, weightDecay } = options;
  const [classes, width] = train.tensors.text_embeddings.shape;
  const labels = Int32Array.from(train.tensors.labels!.data() as BigInt64Array, Number);
  const batches = batchCount(labels.length, batchSize, false);
  const reporter = new StepReporter(
    { name: 'Linear probe', epochs, totalSteps: epochs * batches, logEvery: batches, record: () => {} },
    { info: (line) => onProgress?.({ type: 'log', level: 'INFO', line }) },
    onProgress,
  );
  const linear = new Linear(width, classes, { seed });
  const features = { features: train.tensors.un_image_embeddings, labels };
  await trainLinear(linear, features, { epochs, batchSize, seed, lr, weightDecay, signal, reporter });
  return { linear_probe_accuracy: accuracy(linear, test) };
}

/** Checks that two files are of one model and of the same classes. */
function checkTogether(train: Embeddings, test: Embeddings): void {
  const [a, b] = [train, test].map(({ tensors }) => tensors.un_image_embeddings.shape[1]);
  if (a !== b)
    throw dataError(
      `Features in '${train.path}' have width ${a} and in '${test.path}' ${b}; embed both sets with one model.`,
    );
  const [classes, others] = [train, test].map(({ tensors }) => tensors.text_embeddings.shape[0]);
  if (classes === others && isDeepStrictEqual(train.metadata.classes, test.metadata.classes)) return;
  throw dataError(
    `'${train.path}' has ${classes} classes and '${test.path}' has ${others}, or others: expected the same classes.`,
  );
}

function accuracy(linear: Linear, { tensors: { un_image_embeddings: features, labels } }: Embeddings): number {
  const wanted = Array.from(labels!.data() as BigInt64Array, Number);
  const count = new TopK([1]);
  for (let start = 0; start < wanted.length; start += IMAGES_A_BATCH) {
    const some = wanted.slice(start, start + IMAGES_A_BATCH);
    torch.tidy(() => torch.noGrad(() => count.add(linear.forward(features.narrow(0, start, some.length)), some)));
  }
  return count.share(1);
}
