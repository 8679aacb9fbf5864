import type { Clip } from '../clip/model';
import type { Evaluator } from '../evaluation/evaluator';
import type { TrainOptions } from '../options/train';
import type { JobHooks } from '../progress';
import type { RunLog } from '../run/log';
import type { LoopEnd } from '../run/loop_parts';
import type { LoopState, Order } from '../run/state';
import type { GradScaler } from '../torch/grad_scaler';
import type { AdamW } from '../torch/optim';
import type { TrainingPairs } from './pairs';
import type { ParallelModel } from './parallel';

/** All that a training on pairs works with. */
export interface PairRun {
  clip: Clip;
  /** the same model, when several ranks train it */
  parallel?: ParallelModel;
  optimizer: AdamW;
  /** only in float16 */
  scaler?: GradScaler;
  pairs: TrainingPairs;
  /** for the checkpoints */
  order: Order;
  evaluator: Evaluator;
  options: TrainOptions;
  log: RunLog;
  device: string;
  start: LoopState;
  /** the run goes on with its own checkpoint */
  resumed: boolean;
  /** its step ends the schedule of the learning rate too */
  end: LoopEnd;
  hooks: JobHooks;
}
