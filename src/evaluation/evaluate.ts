import { join } from 'node:path';

import { checkInitial } from '../checkpoint';
import { initialWeights, openClassifier, readClassifier } from '../classify/file';
import { chooseDevice, makeClip } from '../clip/open';
import type { JobHooks } from '../jobs/progress';
import type { TrainOptions } from '../options/train';
import { RunLog } from '../report/run_log';
import { startRun } from '../report/start_run';
import { Evaluator } from './evaluator';
import { checkOutputs } from './sets';

/** What an evaluation gives. */
export interface Measured {
  metrics: Record<string, number>;
  /** every object of metrics.jsonl */
  history: Record<string, unknown>[];
}

/** Evaluates a checkpoint, a freshly initialised model, or the classifier of a finetuning, on what the options name. */
export async function runEvaluation(options: TrainOptions, hooks: JobHooks): Promise<Measured> {
  const { checkpoint, checkpointFinetune, finetune, linearProbe, pretrained } = options;
  const ownClassifier = finetune || (checkpoint === undefined && !pretrained && !linearProbe);
  if (checkpointFinetune !== undefined && ownClassifier) return evaluateClassifier(checkpointFinetune, options, hooks);
  checkInitial(options);
  const device = chooseDevice(options);
  const initial = await initialWeights(options, hooks);
  const clip = makeClip(options, device, initial);
  const evaluator = await Evaluator.open(clip, options, device, hooks);
  const log = startLog(options, hooks);
  const metrics = await evaluator.evaluate(log, initial?.epoch ?? 0, initial?.step ?? 0);
  return { metrics, history: log.history };
}

async function evaluateClassifier(path: string, options: TrainOptions, hooks: JobHooks): Promise<Measured> {
  const device = chooseDevice(options);
  const file = readClassifier(path);
  const classifier = openClassifier(file, options, device);
  const evaluator = await Evaluator.open(classifier.clip, options, device, hooks);
  if (evaluator.labelled !== undefined) checkOutputs(classifier, evaluator.labelled, path);
  const log = startLog(options, hooks);
  log.info(`Loaded checkpoint ${path}`);
  const metrics = await evaluator.evaluate(log, file.epoch, file.step, classifier);
  return { metrics, history: log.history };
}

function startLog(options: TrainOptions, hooks: JobHooks): RunLog {
  const log = new RunLog(join(options.logs, options.name), hooks.onProgress);
  startRun(log, options);
  return log;
}
