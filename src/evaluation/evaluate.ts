import { join } from 'node:path';

import { initialWeights, openClassifier, readClassifier } from '../classify/file';
import { chooseDevice, makeClip } from '../clip/open';
import type { TrainOptions } from '../options/train';
import type { JobHooks } from '../progress';
import { joinRun, startRun, tellOfModel } from '../run/begin';
import { checkpointNames } from '../run/checkpoint';
import { RunLog } from '../run/log';
import { Evaluator } from './evaluator';
import { checkOutputs } from './sets';

/** What an evaluation gives. */
export interface Evaluation {
  metrics: Record<string, number>;
  /** what it wrote to metrics.jsonl */
  history: Record<string, unknown>[];
}

/** Evaluates a checkpoint, a freshly initialised model, or the classifier of a finetuning, on what the options name. */
export async function runEvaluation(options: TrainOptions, hooks: JobHooks): Promise<Evaluation> {
  const { checkpoint, checkpointFinetune, finetune, linearProbe, pretrained } = options;
  const ownClassifier = finetune || (checkpoint === undefined && !pretrained && !linearProbe);
  if (checkpointFinetune !== undefined && ownClassifier) return evaluateClassifier(checkpointFinetune, options, hooks);
  const device = chooseDevice(options);
  const initial = await initialWeights(options, hooks);
  const clip = makeClip(options, device, initial);
  const evaluator = await Evaluator.open(clip, options, device, hooks);
  const log = startLog(options, hooks);
  if (initial !== undefined) tellOfModel(log, initial);
  const metrics = await evaluator.evaluate(log, {
    epoch: initial?.epoch ?? 0,
    step: initial?.step ?? 0,
    checkpoint: initial?.path,
  });
  return { metrics, history: log.history };
}

async function evaluateClassifier(path: string, options: TrainOptions, hooks: JobHooks): Promise<Evaluation> {
  const device = chooseDevice(options);
  const file = readClassifier(path, options);
  const classifier = openClassifier(file, options, device);
  const evaluator = await Evaluator.open(classifier.clip, options, device, hooks);
  if (evaluator.labelled !== undefined) checkOutputs(classifier, evaluator.labelled, path);
  const log = startLog(options, hooks);
  log.info(`Loaded checkpoint ${path}`);
  tellOfModel(log, file);
  const metrics = await evaluator.evaluate(log, { epoch: file.epoch, step: file.step, checkpoint: path }, classifier);
  return { metrics, history: log.history };
}

/** A new log; where there are checkpoints it goes on with that of their run. */
function startLog(options: TrainOptions, hooks: JobHooks): RunLog {
  const log = new RunLog(join(options.logs, options.name), hooks.onProgress);
  if (checkpointNames(log.folder).length > 0) joinRun(log, options);
  else startRun(log, options);
  return log;
}
