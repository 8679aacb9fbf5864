import { Classifier, Linear } from '../classify/classifier';
import type { ClassifierLoss } from '../classify/steps';
import type { Clip } from '../clip/model';
import type { LabelledSet } from '../data/labelled';
import { badRowWarnings, type PairTable, readPairs, refuseBadRows } from '../data/pairs';
import { batchCount } from '../data/sampler';
import { compatOf } from '../options/compat';
import type { TrainOptions } from '../options/train';
import type { JobHooks } from '../progress';
import type { RunLog } from '../run/log';
import { ranks } from '../run/ranks';
import { appendResults } from '../run/results';
import { type StepRecord, StepReporter } from '../run/step_reporter';
import { type Attack, attackOf } from './attack';
import { classifierMetrics } from './classifier';
import type { MeasureOptions } from './labelled';
import { encodeSet, trainLinear } from './linear_probe';
import { describeSet, readTestSet, readTrainingSet, type TrainingSet } from './sets';
import { validationLoss } from './validation';
import { zeroshotMetrics } from './zeroshot';

/**
 * What is measured: how far it was trained, and the file that it was read from, unless the run itself has trained it
 * on.
 */
export interface Measured {
  epoch: number;
  step: number;
  checkpoint?: string;
}

/** Measures a model on what the options name: validation pairs, a labelled set, the same with the trigger. */
export class Evaluator {
  private warned = false;

  private constructor(
    private readonly clip: Clip,
    private readonly options: TrainOptions,
    private readonly device: string,
    private readonly hooks: JobHooks,
    private readonly validation: PairTable | undefined,
    /** the labelled set to measure on */
    readonly labelled: LabelledSet | undefined,
    /** the labelled images that a linear probe or supervised finetuning is trained on */
    readonly training: TrainingSet | undefined,
    private readonly attack: Attack | undefined,
  ) {}

  /** Reads the sets, so that what is wrong with them shows before any long work. */
  static async open(clip: Clip, options: TrainOptions, device: string, hooks: JobHooks): Promise<Evaluator> {
    const {
      evalTestDataDir,
      evalTrainDataDir,
      checkpointFinetune,
      asr,
      addBackdoor,
      validationData,
      finetune,
      linearProbe,
    } = options;
    const size = clip.config.imageSize;
    const labelled = evalTestDataDir === undefined ? undefined : await readTestSet(options);
    const trains = evalTrainDataDir !== undefined && (linearProbe || (finetune && checkpointFinetune === undefined));
    const training = trains && labelled !== undefined ? await readTrainingSet(options, labelled, size) : undefined;
    const attack =
      labelled !== undefined && (asr || addBackdoor) ? attackOf(options, labelled.classes, size) : undefined;
    const validation = validationData === undefined ? undefined : await readPairs(validationData, options);
    if (validation !== undefined && options.strict) refuseBadRows(validation.badRows, validationData!);
    return new Evaluator(clip, options, device, hooks, validation, labelled, training, attack);
  }

  /**
   * Measures what there is to measure, and writes the results to the run's log.
   * @param classifier measured on the labelled set, instead of CLIP itself
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
    if (zeroshot && ranks().rank === 0) {
      try {
        appendResults(this.options, scores);
      } catch (error) {
        log.warning((error as Error).message);
      }
    }
    return metrics;
  }

  /** Tells of the rows of the validation data that are left out, once. */
  private warn(log: RunLog): void {
    if (this.warned || this.validation === undefined) return;
    this.warned = true;
    for (const warning of badRowWarnings(this.validation.badRows, this.options.validationData!)) log.warning(warning);
  }

  /** The validation loss as `{loss}`; nothing without validation pairs. */
  async validate(log: RunLog): Promise<Record<string, number>> {
    if (this.validation === undefined) return {};
    return {
      loss: await validationLoss(this.clip, this.validation, this.options, {
        signal: this.hooks.signal,
        warn: (text) => log.warning(`Validation: ${text}`),
      }),
    };
  }

  /** How a finetuned classifier fares on the labelled set, see {@link classifierMetrics}. */
  async finetuned(classifier: Classifier): Promise<Record<string, number>> {
    classifier.clip.eval();
    // The reference gives this accuracy the other classifier's name.
    const name = compatOf(this.options).namesFinetuneAsProbe ? 'linear_probe' : 'finetune';
    return classifierMetrics(name, classifier, this.labelled!, this.measuring('evaluation of the classifier'));
  }

  /** Writes results to the run's log, and returns them. */
  report(log: RunLog, at: Measured, metrics: Record<string, number>): Record<string, number> {
    log.info('Results');
    for (const [name, value] of Object.entries(metrics)) log.info(`${name}: ${value.toFixed(4)}`);
    const leftOut = this.validation?.badRows.count ?? 0;
    log.metrics({ type: 'evaluation', ...at, ...metrics, ...(leftOut > 0 && { validation_rows_left_out: leftOut }) });
    return metrics;
  }

  private async classify(log: RunLog, at: Measured, classifier?: Classifier): Promise<Record<string, number>> {
    const { clip, labelled, options } = this;
    if (labelled === undefined) return {};
    clip.eval();
    if (classifier !== undefined) return this.finetuned(classifier);
    if (options.linearProbe) return this.probe(log, at, labelled);
    return zeroshotMetrics(clip, labelled, this.measuring('zero-shot evaluation'));
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
        this.measuring('evaluation of the linear probe'),
      );
    } finally {
      encoded.features.dispose();
      linear.dispose();
    }
  }

  private measuring(text: string): Omit<MeasureOptions, 'size'> {
    const { options, attack, hooks } = this;
    return {
      numWorkers: options.numWorkers,
      attack,
      signal: hooks.signal,
      onBatch: this.counter(text, this.labelled!.images.length),
    };
  }

  /** Reports as progress how many of `total` are done. */
  private counter(text: string, total: number): (done: number) => void {
    return (done) => this.hooks.onProgress?.({ type: 'progress', done, total, text });
  }
}
