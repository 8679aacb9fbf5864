import { join } from 'node:path';

import { Classifier, Linear } from '../classify/classifier';
import type { ClassifierLoss } from '../classify/steps';
import type { Clip } from '../clip/model';
import type { LabelledSet } from '../data/labelled';
import { badRowWarnings, type PairTable, readPairs, refuseBadRows } from '../data/pairs';
import { batchCount } from '../data/sampler';
import { compatOf } from '../options/compat';
import { trainsClassifier } from '../options/rules';
import type { EvaluationOptions } from '../options/slices';
import type { JobHooks } from '../progress';
import { EarlyLines } from '../run/early_lines';
import type { RunLog } from '../run/log';
import { ranks } from '../run/ranks';
import { appendResults } from '../run/results';
import { type StepRecord, StepReporter } from '../run/step_reporter';
import { type Attack, attackOf } from './attack';
import { classifierMetrics } from './classifier';
import type { MeasureOptions } from './labelled';
import { encodeSet, trainLinear } from './linear_probe';
import { namesakes } from './names';
import { writePredictions } from './predictions';
import { samplesOf } from './samples';
import { describeSet, readTestSet, readTrainingSet, type TrainingSet } from './sets';
import { validationLoss } from './validation';
import { zeroshotMetrics } from './zeroshot';

/**
 * The model that is measured: how far it was trained, and the file that it was read from. The file is absent when the
 * run itself has trained it further.
 */
export interface Measured {
  epoch: number;
  step: number;
  checkpoint?: string;
  /** name of the labelled set, when there are several */
  set?: string;
}

/**
 * Measures a model on the sets that the options name: validation pairs, a labelled set, and the same set with the
 * trigger.
 */
export class Evaluator {
  private warned = false;

  private constructor(
    private readonly clip: Clip,
    private readonly options: EvaluationOptions,
    private readonly device: string,
    private readonly hooks: JobHooks & { early: EarlyLines },
    private readonly validation: PairTable | undefined,
    /** the labelled set to measure on */
    readonly labelled: LabelledSet | undefined,
    /** the labelled images that a linear probe or supervised finetuning is trained on */
    readonly training: TrainingSet | undefined,
    private readonly attack: Attack | undefined,
  ) {}

  /**
   * Reads the sets first, so that errors in them show before any long work.
   * @throws CleanclipError `ERR_DATA` for a set that cannot be used; `ERR_OPTION` for a label that is not a class
   */
  static async open(clip: Clip, options: EvaluationOptions, device: string, hooks: JobHooks): Promise<Evaluator> {
    const { evalTestDataDir, evalTrainDataDir, asr, addBackdoor, validationData } = options;
    const size = clip.config.imageSize;
    const labelled = evalTestDataDir === undefined ? undefined : await readTestSet(options);
    const trains = evalTrainDataDir !== undefined && trainsClassifier(options);
    const training = trains && labelled !== undefined ? await readTrainingSet(options, labelled, size) : undefined;
    const attack =
      labelled !== undefined && (asr || addBackdoor) ? attackOf(options, labelled.classes, size) : undefined;
    const early = new EarlyLines(hooks);
    const validation =
      validationData === undefined
        ? undefined
        : await readPairs(validationData, { ...options, augmentedColumns: false }, early.hooks);
    if (validation !== undefined && options.strict) refuseBadRows(validation.badRows, validationData!);
    return new Evaluator(clip, options, device, { ...hooks, early }, validation, labelled, training, attack);
  }

  /**
   * Measures everything that the options ask for, and writes the results to the log of the run.
   * @param classifier measured on the labelled set instead of CLIP itself
   * @returns `loss` of the validation pairs; see {@link zeroshotMetrics} and {@link classifierMetrics} for the rest
   */
  async evaluate(log: RunLog, at: Measured, classifier?: Classifier): Promise<Record<string, number>> {
    if (this.validation === undefined && this.labelled === undefined) return {};
    log.info(at.epoch === 0 ? 'Base evaluation' : `Epoch ${at.epoch} evaluation`);
    this.warn(log);
    const loss = await this.validate(log);
    const scores = await this.classify(log, at, classifier);
    const metrics = this.report(log, at, { ...loss, ...scores });
    const zeroshot = this.labelled !== undefined && classifier === undefined && !this.options.linearProbe;
    if (zeroshot && ranks().rank === 0) await orWarn(log, () => appendResults(this.options, scores));
    return metrics;
  }

  /**
   * Shows a few images of the labelled set, clean and with the trigger, in the reports that take them. It does nothing
   * when no attack is measured. Of several ranks only the first shows them.
   */
  async showSamples(log: RunLog, at: { epoch: number; step: number }): Promise<void> {
    const { labelled, attack, clip, hooks } = this;
    if (labelled === undefined || attack === undefined || !log.showsPictures) return;
    log.pictures(await samplesOf(labelled, attack, clip.config, hooks.signal), at);
  }

  /** Warns, once, of the rows of the validation data that are left out, and logs what was said of reading it. */
  private warn(log: RunLog): void {
    if (this.warned || this.validation === undefined) return;
    this.warned = true;
    this.hooks.early.writeTo(log);
    for (const warning of badRowWarnings(this.validation.badRows, this.options.validationData!)) log.warning(warning);
  }

  /** Computes the validation loss as `{loss}`, or returns `{}` without validation pairs. */
  async validate(log: RunLog): Promise<Record<string, number>> {
    if (this.validation === undefined) return {};
    return {
      loss: await validationLoss(this.clip, this.validation, this.options, {
        signal: this.hooks.signal,
        warn: (text) => log.warning(`Validation: ${text}`),
        onBatch: this.counter('pairs of the validation'),
      }),
    };
  }

  /** Measures a finetuned classifier on the labelled set, see {@link classifierMetrics}. */
  async finetuned(log: RunLog, classifier: Classifier): Promise<Record<string, number>> {
    classifier.clip.eval();
    // The reference names this accuracy as that of the linear probe.
    const name = compatOf(this.options).namesFinetuneAsProbe ? 'linear_probe' : 'finetune';
    return classifierMetrics(name, classifier, this.labelled!, this.measuring(log, 'evaluation of the classifier'));
  }

  /** Writes results to the log of the run, and returns them. */
  report(log: RunLog, at: Measured, metrics: Record<string, number>): Record<string, number> {
    log.info('Results');
    for (const [name, value] of Object.entries(metrics)) log.info(`${name}: ${value.toFixed(4)}`);
    const leftOut = this.validation?.badRows.count ?? 0;
    const rowsLeftOut = leftOut > 0 && { validation_rows_left_out: leftOut };
    log.metrics({ type: 'evaluation', ...at, ...metrics, ...this.counts(at), ...rowsLeftOut });
    return metrics;
  }

  /** Returns what the shares stand on: the labelled set, its images, and those that get the trigger. */
  private counts({ set }: Measured): Record<string, unknown> {
    const { labelled, attack, options } = this;
    if (labelled === undefined) return {};
    const targets = attack === undefined ? [] : namesakes(labelled.classes, attack.target);
    const triggered = labelled.labels.filter((label) => !targets.includes(label)).length;
    const ofAttack = attack !== undefined && { triggered_images: triggered };
    const folder = set === undefined && { folder: options.evalTestDataDir };
    return { ...folder, images: labelled.images.length, ...ofAttack };
  }

  private async classify(log: RunLog, at: Measured, classifier?: Classifier): Promise<Record<string, number>> {
    const { clip, labelled, options } = this;
    if (labelled === undefined) return {};
    clip.eval();
    if (classifier !== undefined) return this.finetuned(log, classifier);
    if (options.linearProbe) return this.probe(log, at, labelled);
    return zeroshotMetrics(clip, labelled, {
      ...this.measuring(log, 'zero-shot evaluation'),
      onClasses: this.counter('classes embedded'),
    });
  }

  private async probe(log: RunLog, { epoch, step }: Measured, labelled: LabelledSet): Promise<Record<string, number>> {
    const training = this.training!;
    const { linearProbeNumEpochs: epochs, linearProbeBatchSize, batchSize, numWorkers, strict, seed } = this.options;
    const { signal } = this.hooks;
    log.info(`Number of train examples: ${describeSet(training)}`);
    log.info(`Number of test examples: ${labelled.images.length}`);
    const encoded = await encodeSet(this.clip, training, {
      numWorkers,
      strict,
      signal,
      onBadRow: ({ row, reason }) => log.warning(`Training image ${row + 1} is skipped: ${reason}`),
      onBatch: this.counter('features for the linear probe', training.images.length),
    });
    const linear = new Linear(this.clip.config.embedDim, labelled.classes.length, { seed, device: this.device });
    try {
      const size = compatOf(this.options).probesByBatchSize ? batchSize : linearProbeBatchSize;
      const batches = batchCount(encoded.labels.length, size, false);
      const record = ({ losses, rowsPerSecond, ...values }: StepRecord<ClassifierLoss>): void =>
        log.metrics({
          type: 'linear_probe',
          epoch,
          step,
          probe_epoch: values.epoch,
          probe_step: values.step,
          ...losses,
          lr: values.lr,
          time: values.time,
          images_per_second: rowsPerSecond,
        });
      const name = 'Linear probe';
      const reporter = new StepReporter(
        { name, progressName: `${name} `, epochs, totalSteps: epochs * batches, logEvery: batches, record },
        log,
        this.hooks.onProgress,
      );
      await trainLinear(linear, encoded, { epochs, batchSize: size, seed, signal, reporter });
      return await classifierMetrics(
        'linear_probe',
        new Classifier(this.clip, linear),
        labelled,
        this.measuring(log, 'evaluation of the linear probe'),
      );
    } finally {
      encoded.features.dispose();
      linear.dispose();
    }
  }

  private measuring(log: RunLog, text: string): Omit<MeasureOptions, 'size'> {
    const { options, attack, hooks } = this;
    const { savePredictions: count, seed, name } = options;
    return {
      numWorkers: options.numWorkers,
      attack,
      signal: hooks.signal,
      onBatch: this.counter(text, this.labelled!.images.length),
      ...(count > 0 && {
        predictions: {
          count,
          seed,
          show: (found) => orWarn(log, () => writePredictions(found, join(log.folder, 'predictions'), name)),
        },
      }),
    };
  }

  /** Returns a function that reports how many are done, as progress events; it takes the total if that is not given. */
  private counter(text: string): (done: number, total: number) => void;
  private counter(text: string, total: number): (done: number) => void;
  private counter(text: string, all?: number): (done: number, total?: number) => void {
    return (done, total = all!) => this.hooks.onProgress?.({ type: 'progress', done, total, text });
  }
}

/** Writes results. When the disk refuses them, a warning says so, for the metrics are in the log too. */
async function orWarn(log: RunLog, write: () => void | Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    log.warning((error as Error).message);
  }
}
