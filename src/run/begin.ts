import type { CompleteConfig } from '../clip/config';
import { DEFAULT_NAME } from '../clip/open';
import type { TrainOptions } from '../options/train';
import { unusedWarnings } from '../options/unused';
import { torch } from '../torch';
import type { RunLog } from './log';
import { ranks } from './ranks';
import type { LoopState } from './state';

/**
 * Begins a run's files: empties them, writes params.txt, and warns of flags that do nothing. Of several ranks the first
 * does it.
 * @param resumedAt where an interrupted run goes on: its files are kept up to there
 */
export function startRun(log: RunLog, options: TrainOptions, resumedAt?: LoopState): void {
  if (ranks().rank > 0) return;
  if (resumedAt === undefined) log.start();
  else log.resume(resumedAt);
  log.params({ ...options, modelName: options.modelName ?? (bringsModel(options) ? undefined : DEFAULT_NAME) });
  joinRun(log, options);
}

/**
 * Begins the files of a training, and tells where it computes and which file it has loaded.
 * @param facts `resumedAt` as of {@link startRun}; `loaded.at` says how far the file was trained
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

/** Whether a file says what model it is. */
const bringsModel = ({ checkpoint, checkpointFinetune }: TrainOptions): boolean =>
  (checkpoint ?? checkpointFinetune) !== undefined;

/** What there is to tell of a model's file. */
interface ReadFile extends Pick<LoopState, 'epoch' | 'step'> {
  config: CompleteConfig;
  path?: string;
  assumed?: string;
  unread?: string;
}

/**
 * Tells in the log which objects of a model's file were left unread, and what is assumed of the model because nobody
 * has said it, which goes to metrics.jsonl too. Of several ranks the first does it.
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

/** Adds to a run's files, and warns of flags that do nothing. Of several ranks the first does it. */
export function joinRun(log: RunLog, options: TrainOptions): void {
  const { rank, worldSize } = ranks();
  if (rank > 0) return;
  for (const warning of unusedWarnings(options)) log.warning(warning);
  if (worldSize === 1) return;
  const backend = torch.distributed.getBackend();
  log.info(`${worldSize} ranks over ${backend}; rank 0 writes`);
  if (backend !== options.distributedBackend)
    log.warning(
      `Using ${backend}, because ${options.distributedBackend} needs a GPU for each rank and a libtorch that has it.`,
    );
}
