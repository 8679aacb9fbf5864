import { join } from 'node:path';

import { checkInitial, readInitial } from '../checkpoint';
import { chooseDevice, makeClip } from '../clip/open';
import { optionError } from '../errors';
import type { JobHooks } from '../jobs/progress';
import type { TrainOptions } from '../options/train';
import { RunLog } from '../report/run_log';
import { Evaluator } from './evaluator';

/** Evaluates a checkpoint, OpenAI's weights, or a freshly initialised model, on what the options name. */
export async function runEvaluation(options: TrainOptions, hooks: JobHooks): Promise<Record<string, number>> {
  if (options.evalTestDataDir === undefined && options.validationData === undefined) {
    throw optionError('There is nothing to do; give --train_data to train, or --eval_test_data_dir or --validation_data to evaluate.');
  }
  checkInitial(options);
  const device = chooseDevice(options);
  const checkpoint = await readInitial(options, hooks);
  const clip = makeClip(options, device, checkpoint);
  const evaluator = await Evaluator.open(clip, options, device, hooks);
  const log = new RunLog(join(options.logs, options.name), hooks.onProgress ?? (() => {}));
  log.start();
  log.params(options);
  return evaluator.evaluate(log, checkpoint?.epoch ?? 0, checkpoint?.step ?? 0);
}
