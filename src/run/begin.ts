import type { CompleteConfig } from '../clip/config';
import { DEFAULT_NAME } from '../clip/open';
import type { TrainOptions } from '../options/train';
import { unusedWarnings } from '../options/unused';
import { packageVersion } from '../paths';
import { torch } from '../torch';
import { addon } from '../torch/addon';
import type { RunLog } from './log';
import { ranks } from './ranks';
import { reportersOf } from './reporters/open';
import type { LoopState } from './state';

/**
 * Begins the files of a run: empties them, writes params.txt, and warns of flags that do nothing. Of several ranks only
 * the first does so.
 * @param resumedAt where an interrupted run continues; its files are kept up to there
 */
export function startRun(log: RunLog, options: TrainOptions, resumedAt?: LoopState): void {
  if (ranks().rank > 0) return;
  if (resumedAt === undefined) log.start();
  else log.resume(resumedAt);
  const known = { ...options, modelName: options.modelName ?? (bringsModel(options) ? undefined : DEFAULT_NAME) };
  log.params(known);
  log.report(reportersOf(options, log), {
    kind: resumedAt === undefined ? 'new' : 'resumed',
    at: resumedAt,
    options: known,
  });
  tellOfStart(log, options);
}

/**
 * Begins the files of a training, and logs the device and the file that was loaded.
 * @param facts `resumedAt` as for {@link startRun}; `loaded.at` says how far the file was trained
 */
export function beginTraining(
  log: RunLog,
  options: TrainOptions,
  facts: { resumedAt?: LoopState; device: string; precision: string; loaded?: { path: string; at: string } },
): void {
  const { resumedAt, device, precision, loaded } = facts;
  startRun(log, options, resumedAt);
  log.info(`Using ${device} device, ${precision}`);
  if (loaded !== undefined) log.info(`Loaded checkpoint '${loaded.path}' (${loaded.at})`);
}

/** Tells whether a file says what the model is. */
const bringsModel = ({ checkpoint, checkpointFinetune }: TrainOptions): boolean =>
  (checkpoint ?? checkpointFinetune) !== undefined;

/** What the log says about the file of a model. */
interface ReadFile extends Pick<LoopState, 'epoch' | 'step'> {
  config: CompleteConfig;
  path?: string;
  assumed?: string;
  unread?: string;
}

/**
 * Logs which objects of a model's file were left unread. It also logs what is assumed about the model because nobody
 * has stated it, and writes that to metrics.jsonl. Of several ranks only the first does so.
 */
export function tellOfModel(log: RunLog, { assumed, unread, config, path, epoch, step }: ReadFile): void {
  if (ranks().rank > 0) return;
  if (unread !== undefined) log.warning(unread);
  if (assumed === undefined) return;
  log.warning(assumed);
  const { activation, visionHeads, textHeads } = config;
  log.metrics({
    type: 'assumed',
    epoch,
    step,
    checkpoint: path,
    activation,
    vision_heads: visionHeads,
    text_heads: textHeads,
  });
}

/**
 * Adds to the files of a run whose model is measured, and warns of flags that do nothing. Of several ranks only the
 * first does so.
 */
export function joinRun(log: RunLog, options: TrainOptions): void {
  if (ranks().rank > 0) return;
  log.report(reportersOf(options, log), { kind: 'beside', options: { ...options } });
  tellOfStart(log, options);
}

/** Warns of flags that do nothing, and tells of the ranks. */
function tellOfStart(log: RunLog, options: TrainOptions): void {
  const { worldSize } = ranks();
  log.info(`cleanclip ${packageVersion()}, libtorch ${addon().libtorchVersion()}, Node ${process.version}`);
  for (const warning of unusedWarnings(options)) log.warning(warning);
  if (worldSize === 1) return;
  const backend = torch.distributed.getBackend();
  log.info(`${worldSize} ranks over ${backend}; rank 0 writes`);
  if (backend !== options.distributedBackend)
    log.warning(
      `Using ${backend}, because ${options.distributedBackend} needs a GPU for each rank and a libtorch that has it.`,
    );
}
