import { join } from 'node:path';

import { reportersAsked } from '../../options/report';
import type { TrainOptions } from '../../options/train';
import type { Reporter } from './reporter';
import { TensorBoard } from './tensorboard';
import { type Teller, WeightsAndBiases } from './wandb';

/** Makes the reporters that the options ask for, beside metrics.jsonl. They have no files yet. */
export function reportersOf(options: TrainOptions, tell: Teller): Reporter[] {
  const folder = join(options.logs, options.name);
  const asked = reportersAsked(options);
  return [
    ...(asked.has('tensorboard') ? [new TensorBoard(folder)] : []),
    ...(asked.has('wandb') ? [new WeightsAndBiases(folder, tell)] : []),
  ];
}
