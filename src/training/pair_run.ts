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

/** All objects that a training on pairs works with. */
export interface PairRun {
  clip: Clip;
  /** the same model, when several ranks train it */
  parallel?: ParallelModel;
  optimizer: AdamW;
  /** only in float16 */
  scaler?: GradScaler;
  pairs: TrainingPairs;
  /** the order of the data, stored in checkpoints */
  order: Order;
  evaluator: Evaluator;
  options: TrainOptions;
  log: RunLog;
  device: string;
  start: LoopState;
  /** whether the run resumes from its own checkpoint */
  resumed: boolean;
  /** the end of the run; its step is also the end of the learning rate schedule */
  end: LoopEnd;
  hooks: JobHooks;
}
