import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { Classifier, Linear } from '../classify/classifier';
import { type ClassifierFile, initialWeights, openClassifier, readClassifier, writeClassifier } from '../classify/file';
import { classifierOptimizer, fit, type LabelledBatch } from '../classify/fit';
import { FitReporter } from '../classify/reporter';
import { chooseDevice, makeClip } from '../clip/open';
import { ImageLoader } from '../data/image_loader';
import { CleanclipError, isAbort, optionError } from '../errors';
import { Evaluator } from '../evaluation/evaluator';
import { checkOutputs, type TrainingSet } from '../evaluation/sets';
import type { TrainOptions } from '../options/train';
import type { JobHooks } from '../progress';
import { startRun, tellOfModel } from '../run/begin';
import { checkInitial, refuseEarlierRun, resumable } from '../run/checkpoint';
import { RunLog } from '../run/log';
import { changeOf, type Order, type Position } from '../run/position';
import { fromAllRanks, ranks } from '../run/ranks';
import { type Tensor, torch } from '../torch';
import type { ParallelModule } from '../torch/distributed';
import { cosineSchedule } from '../torch/schedule';
import type { TrainResult } from './loop';
import { makeScaler } from './optimizer';

const { distributed } = torch;

/**
 * Supervised finetuning: trains CLIP's image encoder and a linear layer on labelled images by cross entropy, writes
 * `checkpoints/finetune.pt`, and measures the classifier. Until it is done, `checkpoints/finetune_step.pt` holds the
 * last whole epoch, or the step where it was stopped, for `--resume auto`. Of several ranks each has its part of every
 * batch, and the first writes.
 */
export async function runSupervised(options: TrainOptions, hooks: JobHooks): Promise<TrainResult> {
  checkInitial(options);
  const device = chooseDevice(options);
  if (device !== 'cpu') torch.backends.cudnn.benchmark = true;
  const log = new RunLog(join(options.logs, options.name), hooks.onProgress);
  const folder = join(log.folder, 'checkpoints');
  const [finished, unfinished] = [join(folder, 'finetune.pt'), join(folder, 'finetune_step.pt')];
  const resumed = earlierRun(log.folder, [finished, unfinished], options);
  await checkSameStart(resumed, folder);
  const saved = resumed && openClassifier(resumed, options, device);
  const initial = saved === undefined ? await initialWeights(options, hooks) : undefined;
  const clip = saved?.clip ?? makeClip(options, device, initial);
  const evaluator = await Evaluator.open(clip, options, device, hooks);
  const training = evaluator.training!;
  const classes = evaluator.labelled!.classes.length;
  const linear = saved?.linear ?? new Linear(clip.config.embedDim, classes, { seed: options.seed, device });
  const classifier = new Classifier(clip, linear);
  checkOutputs(classifier, evaluator.labelled!, resumed?.path);
  const order: Order = {
    examples: training.images.length,
    batchSize: options.linearProbeBatchSize,
    seed: options.seed,
  };
  const change = changeOf(resumed?.order, order, '--linear_probe_batch_size');
  if (change !== undefined && resumed?.path === unfinished) {
    throw optionError(
      `'${unfinished}' can only go on as it began: ${change}; give what it was, or choose another --name.`,
    );
  }
  const shard = ranks();
  const loader = new ImageLoader(training.images, {
    batchSize: options.linearProbeBatchSize / shard.worldSize,
    shard,
    size: clip.config.imageSize,
    geometry: clip.config,
    numWorkers: options.numWorkers,
    seed: options.seed,
    shuffle: true,
    strict: options.strict,
    maxBadRows: options.maxBadRows,
    onBadRow: ({ row, reason }) => log.warning(`Training image ${row + 1} is skipped: ${reason}`),
  });

  let position: Position = resumed ?? { epoch: 0, batch: 0, step: 0 };
  const { batches } = loader;
  const epochs = options.linearProbeNumEpochs;
  const totalSteps = Math.min(epochs * batches, options.maxSteps ?? Infinity);
  const optimizer = classifierOptimizer(classifier.namedParameters());
  if (resumed?.optimizer !== undefined) optimizer.loadStateDict(resumed.optimizer);
  const scaler = makeScaler(clip, resumed?.scaler);
  const parallel =
    shard.worldSize > 1
      ? await distributed.DistributedDataParallel.create(trainedPart(classifier), { bucketCapMb: options.bucketCapMb })
      : undefined;
  const write = (path: string, withState: boolean): void => {
    if (shard.rank === 0)
      writeClassifier(path, classifier, position, { order, ...(withState && { optimizer, scaler }) });
  };
  const reporter = new FitReporter(
    {
      name: 'Finetune',
      epochs,
      batches,
      totalSteps,
      every: options.logEvery ?? Math.max(1, Math.floor(batches / 5)),
      record: (values) => log.metrics({ type: 'train', ...values }),
    },
    log,
    hooks,
  );

  const { precision } = clip;
  begin(log, options, { resumed, loaded: resumed?.path ?? initial?.path, device, precision, training, batches });
  if (resumed === undefined && initial !== undefined) tellOfModel(log, initial);
  try {
    if (resumed === undefined && options.validationData !== undefined)
      evaluator.report(log, { epoch: 0, step: 0 }, await evaluator.validate(log));
    clip.train();
    await fit({
      logits: (pixels) => (parallel ?? trainedPart(classifier)).forward(pixels),
      meanBackward: parallel && ((loss) => parallel.backward(loss)),
      optimizer,
      scaler,
      learningRate: cosineSchedule(options.lr, options.numWarmupSteps, totalSteps),
      batches,
      totalSteps,
      start: position,
      epoch: (epoch, startBatch) =>
        labelled(loader, training, epoch, startBatch, parallel === undefined ? hooks.signal : undefined),
      onStep: (report) => {
        position = { epoch: report.epoch, batch: report.batch, step: report.step };
        reporter.stepDone(report);
        const due =
          report.batch === batches || (options.saveEverySteps > 0 && report.step % options.saveEverySteps === 0);
        if (due && report.step < totalSteps) write(unfinished, true);
      },
      signal: hooks.signal,
    });
  } catch (error) {
    if (hooks.signal?.aborted !== true && !isAbort(error)) throw error;
    if (position.step > (resumed?.step ?? 0)) write(unfinished, true);
    const goOn = position.step > 0 ? '; it is saved, and --resume auto goes on' : '';
    log.warning(`Stopped at step ${position.step}.`);
    throw new CleanclipError(`Finetuning was stopped at step ${position.step}${goOn}.`, 'ERR_ABORTED', {
      cause: error,
    });
  } finally {
    await loader.close();
  }
  if (resumed?.path !== finished) write(finished, false);
  if (shard.rank === 0) rmSync(unfinished, { force: true });
  parallel?.syncBuffers();
  parallel?.dispose();
  await log.share();
  const metrics = evaluator.report(log, { epoch: epochs, step: position.step }, await evaluator.finetuned(classifier));
  return { checkpoint: finished, metrics, history: log.history };
}

/** The first of the files that an earlier run of this name has left, if `resume` allows to go on with one. */
function earlierRun(run: string, paths: string[], options: TrainOptions): ClassifierFile | undefined {
  const { resume } = options;
  const path = paths.find((file) => existsSync(file));
  if (resume !== undefined && path !== undefined) return resumable(readClassifier(path, options));
  refuseEarlierRun(run, { resume });
  return undefined;
}

/** What supervised finetuning trains of a classifier: all but CLIP's text encoder, which gets no gradients. */
function trainedPart(classifier: Classifier): ParallelModule<[Tensor], Tensor> {
  const trained = ([name]: [string, unknown]): boolean => /^(linear|model\.visual)\./.test(name);
  return {
    namedParameters: () => classifier.namedParameters().filter(trained),
    stateDict: () => Object.fromEntries(Object.entries(classifier.stateDict()).filter(trained)),
    forward: (pixels) => classifier.logits(pixels),
  };
}

async function checkSameStart(resumed: ClassifierFile | undefined, folder: string): Promise<void> {
  const steps = await fromAllRanks(resumed?.step);
  const other = steps.findIndex((step) => step !== steps[0]);
  if (other > 0)
    throw optionError(
      `Rank 0 and rank ${other} find different files in '${folder}'; --resume auto needs a folder that all ` +
        'machines share.',
    );
}

/** The batches of an epoch with their labels, poisoned where the set is. */
async function* labelled(
  loader: ImageLoader,
  { labels, stamp }: TrainingSet,
  epoch: number,
  startBatch: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<LabelledBatch> {
  for await (const { index, indices, pixels, dispose } of loader.epoch(epoch, { startBatch, signal })) {
    stamp?.(pixels, indices);
    yield { index, inputs: pixels, labels: indices.map((i) => labels[i]), dispose };
  }
}

function begin(
  log: RunLog,
  options: TrainOptions,
  facts: {
    resumed?: ClassifierFile;
    loaded?: string;
    device: string;
    precision: string;
    training: TrainingSet;
    batches: number;
  },
): void {
  const { resumed, loaded, device, precision, training, batches } = facts;
  startRun(log, options, resumed);
  log.info(`Using ${device} device, ${precision}`);
  if (loaded !== undefined) log.info(`Loaded checkpoint '${loaded}' (step ${resumed?.step ?? 0})`);
  log.info(
    'Number of train ' +
      `examples: ${training.images.length}${training.poisoned ? `, ${training.poisoned} of them poisoned` : ''}`,
  );
  log.info(`Num batches: ${batches}`);
}
