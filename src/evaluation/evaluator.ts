import { makeTrigger } from '../backdoor/triggers';
import type { Clip } from '../clip/model';
import { readLabelledSet, type LabelledSet } from '../data/labelled';
import { PairLoader } from '../data/loader';
import { readPairs, type PairTable } from '../data/pairs';
import { optionError } from '../errors';
import type { JobHooks } from '../jobs/progress';
import type { TrainOptions } from '../options/train';
import type { RunLog } from '../report/run_log';
import { zeroshotMetrics, type Attack } from './labelled';
import { validationLoss } from './validation';

/** Measures a model on what the options name: validation pairs, a labelled set, the same with the trigger. */
export class Evaluator {
  private constructor(
    private readonly clip: Clip,
    private readonly options: TrainOptions,
    private readonly device: string,
    private readonly hooks: JobHooks,
    private readonly validation: PairTable | undefined,
    private readonly labelled: LabelledSet | undefined,
    private readonly attack: Attack | undefined,
  ) {}

  /** Reads the sets, so that what is wrong with them shows before any long work. */
  static async open(clip: Clip, options: TrainOptions, device: string, hooks: JobHooks): Promise<Evaluator> {
    const { evalTestDataDir, asr, addBackdoor, validationData } = options;
    if ((asr || addBackdoor) && evalTestDataDir === undefined) {
      throw optionError(`--${asr ? 'asr' : 'add_backdoor'} measures on labelled images; name their folder with --eval_test_data_dir.`);
    }
    const labelled = evalTestDataDir === undefined ? undefined : await readLabelledSet(evalTestDataDir, { dataType: options.evalDataType });
    const attack = labelled !== undefined && (asr || addBackdoor) ? attackOf(clip, options, labelled) : undefined;
    const validation = validationData === undefined ? undefined : await readPairs(validationData, options);
    return new Evaluator(clip, options, device, hooks, validation, labelled, attack);
  }

  /** Whether there is anything to measure. */
  get idle(): boolean {
    return this.validation === undefined && this.labelled === undefined;
  }

  /**
   * Measures, and writes the results to the run's log.
   * @returns `loss` of the validation pairs; see {@link zeroshotMetrics} for the rest
   */
  async evaluate(log: RunLog, epoch: number, step: number): Promise<Record<string, number>> {
    if (this.idle) return {};
    log.info(epoch === 0 ? 'Base evaluation' : `Epoch ${epoch} evaluation`);
    this.clip.eval();
    const metrics = { ...(await this.validate()), ...(await this.classify()) };
    log.info('Results');
    for (const [name, value] of Object.entries(metrics)) log.info(`${name}: ${value.toFixed(4)}`);
    log.metrics({ type: 'evaluation', epoch, step, ...metrics });
    return metrics;
  }

  private async validate(): Promise<Record<string, number>> {
    if (this.validation === undefined) return {};
    const { batchSize, numWorkers, compat } = this.options;
    const loader = new PairLoader(this.validation, {
      batchSize,
      numWorkers,
      size: this.clip.config.imageSize,
      contextLength: this.clip.config.contextLength,
      shuffle: false,
      dropLast: false,
      compat: compat === 'reference',
    });
    try {
      return { loss: await validationLoss(this.clip, loader, this.device, this.hooks.signal) };
    } finally {
      await loader.close();
    }
  }

  private async classify(): Promise<Record<string, number>> {
    const { labelled, hooks } = this;
    if (labelled === undefined) return {};
    return zeroshotMetrics(this.clip, labelled, {
      device: this.device,
      numWorkers: this.options.numWorkers,
      attack: this.attack,
      signal: hooks.signal,
      onBatch: (done) => hooks.onProgress?.({ type: 'progress', done, total: labelled.images.length, text: 'zero-shot evaluation' }),
    });
  }
}

function attackOf(clip: Clip, options: TrainOptions, { classes }: LabelledSet): Attack {
  const { label, asr, seed, triggerSeed = seed } = options;
  const target = classes.findIndex((name) => name.toLowerCase() === label.toLowerCase());
  if (target < 0) {
    const some = classes.slice(0, 5).join(', ');
    throw optionError(`--label must be one of the ${classes.length} classes (${some}, …), but is '${label}'.`);
  }
  const trigger = makeTrigger({ ...options, compat: options.compat === 'reference', seed: triggerSeed, imageSize: clip.config.imageSize });
  return { trigger, target, asr, seed };
}
