import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { Classifier, Linear } from '../classify/classifier';
import { type ClassifierFile, openClassifier, readClassifier, writeClassifier } from '../classify/file';
import { initialWeights } from '../classify/initial';
import { type ClassifierLoss, classifierOptimizer, classifierSteps, type LabelledBatch } from '../classify/steps';
import { chooseDevice, makeClip } from '../clip/open';
import { ImageLoader } from '../data/image_loader';
import { optionError } from '../errors';
import { Evaluator } from '../evaluation/evaluator';
import { checkOutputs, describeSet, type TrainingSet } from '../evaluation/sets';
import type { TrainOptions } from '../options/train';
import type { JobHooks } from '../progress';
import { BackgroundWrites } from '../run/background_writes';
import { beginTraining, tellOfModel } from '../run/begin';
import { type Checkpoint, earlierRun, resumable } from '../run/checkpoint';
import { RunLog } from '../run/log';
import { trainLoop } from '../run/loop';
import type { Agreed, LoopEnd, LoopSteps } from '../run/loop_parts';
import { differingRank, ranks } from '../run/ranks';
import { changeOf, type LoopState, type Order } from '../run/state';
import { type StepRecord, StepReporter } from '../run/step_reporter';
import { type Tensor, torch } from '../torch';
import type { ParallelModule } from '../torch/distributed';
import { cosineSchedule } from '../torch/schedule';
import { classifierMeasurements } from './classifier_measurements';
import { makeScaler } from './optimizer';
import type { TrainResult } from './result';

const { distributed } = torch;

/** The paths of the checkpoints of a run: at its end, and while it trains. */
interface Files {
  finished: string;
  unfinished: string;
}

/** All objects that a supervised finetuning works with. */
interface SupervisedRun {
  options: TrainOptions;
  hooks: JobHooks;
  log: RunLog;
  device: string;
  files: Files;
  /** the file that it resumes from */
  resumed?: ClassifierFile;
  /** the weights that it starts from otherwise; absent for new weights */
  initial?: Checkpoint;
  classifier: Classifier;
  evaluator: Evaluator;
  training: TrainingSet;
  loader: ImageLoader;
  order: Order;
  end: LoopEnd;
}

/**
 * Runs supervised finetuning. It trains CLIP's image encoder and a linear layer on labelled images by cross entropy,
 * writes `checkpoints/finetune.pt`, and measures the classifier. Until it is done, `checkpoints/finetune_step.pt` is
 * what `--resume auto` needs. That file holds the last whole epoch, the last of every `saveEverySteps` steps, or the
 * step where it was stopped. With several ranks each has its part of every batch, and the first writes.
 * @throws CleanclipError as `trainLoop`; `ERR_OPTION`, `ERR_DATA` or `ERR_CHECKPOINT` before the first step
 */
export async function runSupervised(options: TrainOptions, hooks: JobHooks): Promise<TrainResult> {
  const run = await open(options, hooks);
  try {
    return await run.log.during(() => train(run));
  } finally {
    await run.loader.close();
  }
}

async function open(options: TrainOptions, hooks: JobHooks): Promise<SupervisedRun> {
  const device = chooseDevice(options);
  if (device !== 'cpu') torch.backends.cudnn.benchmark = true;
  const log = new RunLog(join(options.logs, options.name), hooks.onProgress);
  const folder = join(log.folder, 'checkpoints');
  const files = { finished: join(folder, 'finetune.pt'), unfinished: join(folder, 'finetune_step.pt') };
  const resumed = earlierRun(log.folder, options, () => findClassifier(files, options));
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
  const order = { examples: training.images.length, batchSize: options.linearProbeBatchSize, seed: options.seed };
  checkOrder(resumed, order, files);
  const loader = openLoader(training, classifier, options, log);
  const steps = options.linearProbeNumEpochs * loader.batches;
  const end = { epoch: options.linearProbeNumEpochs, step: Math.min(steps, options.maxSteps ?? Infinity) };
  return {
    ...{ options, hooks, log, device, files, resumed, initial },
    ...{ classifier, evaluator, training, loader, order, end },
  };
}

function openLoader(
  training: TrainingSet,
  { clip: { config } }: Classifier,
  { linearProbeBatchSize, numWorkers, seed, strict, maxBadRows }: TrainOptions,
  log: RunLog,
): ImageLoader {
  const shard = ranks();
  return new ImageLoader(training.images, {
    batchSize: linearProbeBatchSize / shard.worldSize,
    shard,
    size: config.imageSize,
    geometry: config,
    numWorkers,
    seed,
    shuffle: true,
    strict,
    maxBadRows,
    onBadRow: ({ row, reason }) => log.warning(`Training image ${row + 1} is skipped: ${reason}`),
  });
}

/** Trains the classifier, and measures it. */
async function train(run: SupervisedRun): Promise<TrainResult> {
  const { options, hooks, log, files, resumed, classifier, order, end } = run;
  const optimizer = classifierOptimizer(classifier.namedParameters());
  if (resumed?.optimizer !== undefined) optimizer.loadStateDict(resumed.optimizer);
  const scaler = makeScaler(classifier.clip, resumed?.scaler);
  const trained = trainedPart(classifier);
  const parallel =
    ranks().worldSize > 1
      ? await distributed.DistributedDataParallel.create(trained, { bucketCapMb: options.bucketCapMb })
      : undefined;
  const writes = new BackgroundWrites();
  const write = (state: LoopState): Promise<void> =>
    state.step >= end.step
      ? writeClassifier(files.finished, classifier, state, { order })
      : writeClassifier(files.unfinished, classifier, state, { order, optimizer, scaler });
  let metrics: Record<string, number> = {};

  begin(run);
  const measurements = await classifierMeasurements(run, () => parallel?.syncBuffers());
  try {
    await trainLoop({
      ...classifierSteps({
        logits: (pixels) => (parallel ?? trained).forward(pixels),
        meanBackward: parallel && ((loss) => parallel.backward(loss)),
        optimizer,
        scaler,
      }),
      ...steps(run),
      name: 'Finetuning',
      start: resumed ?? { epoch: 0, batch: 0, step: 0 },
      end,
      resumed: resumed !== undefined,
      saved: resumed?.path === files.finished,
      reporter: stepReporter(run),
      warn: (warning) => log.warning(warning),
      save: (state) => writes.start(() => write(state)),
      writes,
      weights: () => classifier.namedParameters().map(([, weight]) => weight),
      saveEverySteps: options.saveEverySteps,
      signal: hooks.signal,
      measuring: measurements,
      onStart: (state) => (resumed === undefined ? measureBase(run) : measurements.measure(state)),
      onEpochStart: () => classifier.clip.train(),
      async onEpoch(state, saveEpoch) {
        await saveEpoch();
        await measurements.measure(state);
      },
      async onEnd({ step }) {
        parallel?.syncBuffers();
        metrics = await finish(run, step);
      },
    });
  } finally {
    parallel?.dispose();
  }
  return { checkpoint: files.finished, metrics, history: log.history };
}

/** Measures the CLIP that a run starts from, and shows what is measured. */
async function measureBase({ options, log, evaluator }: SupervisedRun): Promise<void> {
  const at = { epoch: 0, step: 0 };
  await evaluator.showSamples(log, at);
  if (options.validationData !== undefined) evaluator.report(log, at, await evaluator.validate(log));
}

/** Ends a run whose last step is saved, and measures its classifier. */
async function finish(run: SupervisedRun, step: number): Promise<Record<string, number>> {
  const { log, files, loader, evaluator, classifier, end } = run;
  if (ranks().rank === 0) rmSync(files.unfinished, { force: true });
  await loader.close();
  await log.share();
  return evaluator.report(log, { epoch: end.epoch, step }, await evaluator.finetuned(log, classifier));
}

/** Returns how the batches of an epoch are loaded, and what is reported about a step. */
function steps({
  options,
  device,
  log,
  loader,
  training,
  end,
}: SupervisedRun): Omit<LoopSteps<LabelledBatch, Agreed, ClassifierLoss>, 'agree' | 'step' | 'optimizer'> {
  const rate = cosineSchedule(options.lr, options.numWarmupSteps, end.step);
  return {
    batchesPerEpoch: () => loader.batches,
    batches: (epoch, startBatch, signal) => labelled(loader, training, epoch, { startBatch, signal }),
    onSkip: (batch) => log.warning(`Batch ${batch} is skipped: a rank has no image of it that can be read.`),
    learningRate: ({ step }) => rate(step),
    late: device !== 'cpu',
    diverged: (loss, { step }) =>
      `The loss of the classifier became ${loss} at step ${step}; lower --lr or raise --num_warmup_steps.`,
  };
}

/** Loads the batches of an epoch with their labels, poisoned if the set is. */
async function* labelled(
  loader: ImageLoader,
  { labels, stamp }: TrainingSet,
  epoch: number,
  options: { startBatch: number; signal?: AbortSignal },
): AsyncGenerator<LabelledBatch> {
  for await (const { index, indices, pixels, dispose } of loader.epoch(epoch, options)) {
    stamp?.(pixels, indices);
    yield { index, rows: indices, inputs: pixels, labels: indices.map((i) => labels[i]), dispose };
  }
}

function stepReporter({ options, log, hooks, end }: SupervisedRun): StepReporter<ClassifierLoss> {
  const record = ({ epoch, step, losses, lr, time, rowsPerSecond }: StepRecord<ClassifierLoss>): void =>
    log.metrics({ type: 'train', epoch, step, ...losses, lr, time, images_per_second: rowsPerSecond });
  const [name, progressName] = ['Finetune', 'Finetune '];
  const { logEvery } = options;
  return new StepReporter(
    { name, progressName, epochs: end.epoch, totalSteps: end.step, logEvery, record },
    log,
    hooks.onProgress,
  );
}

/**
 * Returns the part of a classifier that supervised finetuning trains: all but the text encoder, which gets no
 * gradients.
 */
function trainedPart(classifier: Classifier): ParallelModule<[Tensor], Tensor> {
  const trained = ([name]: [string, unknown]): boolean => /^(linear|model\.visual)\./.test(name);
  return {
    namedParameters: () => classifier.namedParameters().filter(trained),
    stateDict: () => Object.fromEntries(Object.entries(classifier.stateDict()).filter(trained)),
    forward: (pixels) => classifier.logits(pixels),
  };
}

/** Reads the file that an earlier run has left: the finished one, if both exist. */
function findClassifier({ finished, unfinished }: Files, options: TrainOptions): ClassifierFile | undefined {
  const path = [finished, unfinished].find((file) => existsSync(file));
  return path === undefined ? undefined : resumable(readClassifier(path, options));
}

async function checkSameStart(resumed: ClassifierFile | undefined, folder: string): Promise<void> {
  const differing = await differingRank(resumed?.step);
  if (differing !== undefined)
    throw optionError(
      `Rank 0 and rank ${differing.rank} find different files in '${folder}'; --resume auto needs a folder that all ` +
        'machines share.',
    );
}

/** Refuses to continue a training in another order. */
function checkOrder(resumed: ClassifierFile | undefined, order: Order, { unfinished }: Files): void {
  const change = changeOf(resumed?.order, order, '--linear_probe_batch_size');
  if (change !== undefined && resumed?.path === unfinished) {
    throw optionError(
      `'${unfinished}' can only go on as it began: ${change}; give what it was, or choose another --name.`,
    );
  }
}

function begin({ log, options, resumed, initial, device, classifier, training, loader }: SupervisedRun): void {
  const loaded = (resumed ?? initial)?.path;
  beginTraining(log, options, {
    resumedAt: resumed,
    device,
    precision: classifier.clip.precision,
    loaded: loaded === undefined ? undefined : { path: loaded, at: `step ${resumed?.step ?? 0}` },
  });
  log.info(`Number of train examples: ${describeSet(training)}`);
  log.info(`Num batches: ${loader.batches}`);
  if (initial !== undefined) tellOfModel(log, initial);
}
