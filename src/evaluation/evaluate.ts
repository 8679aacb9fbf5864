import { join } from 'node:path';

import { openClassifier, readClassifier } from '../classify/file';
import { initialWeights } from '../classify/initial';
import { chooseDevice, makeClip } from '../clip/open';
import type { TrainOptions } from '../options/train';
import type { JobHooks } from '../progress';
import { joinRun, startRun, tellOfModel } from '../run/begin';
import { checkpointNames } from '../run/checkpoint';
import { RunLog } from '../run/log';
import { Evaluator } from './evaluator';
import { checkOutputs } from './sets';
import { evaluateAll, openEvaluators } from './several_sets';

/** The result of an evaluation. */
export interface Evaluation {
  metrics: Record<string, number>;
  /** the objects that it wrote to metrics.jsonl */
  history: Record<string, unknown>[];
}

/**
 * Evaluates a checkpoint, a model with new weights, or the classifier of a finetuning, on the sets that the options
 * name.
 * @throws CleanclipError `ERR_OPTION`, `ERR_CHECKPOINT` or `ERR_DATA` for what cannot be used; `ERR_ABORTED` by the
 * signal
 */
export async function runEvaluation(options: TrainOptions, hooks: JobHooks): Promise<Evaluation> {
  const { checkpoint, checkpointFinetune, finetune, linearProbe, pretrained } = options;
  const ownClassifier = finetune || (checkpoint === undefined && !pretrained && !linearProbe);
  if (checkpointFinetune !== undefined && ownClassifier) return evaluateClassifier(checkpointFinetune, options, hooks);
  const device = chooseDevice(options);
  const initial = await initialWeights(options, hooks);
  const clip = makeClip(options, device, initial);
  const evaluators = await openEvaluators(clip, options, device, hooks);
  const log = startLog(options, hooks);
  if (initial !== undefined) tellOfModel(log, initial);
  const at = { epoch: initial?.epoch ?? 0, step: initial?.step ?? 0, checkpoint: initial?.path };
  return log.during(async () => {
    await evaluators[0].evaluator.showSamples(log, at);
    return { metrics: await evaluateAll(evaluators, log, at), history: log.history };
  });
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
  const at = { epoch: file.epoch, step: file.step, checkpoint: path };
  return log.during(async () => {
    await evaluator.showSamples(log, at);
    return { metrics: await evaluator.evaluate(log, at, classifier), history: log.history };
  });
}

/** Opens the log: a new one, or that of the run when its folder has checkpoints. */
function startLog(options: TrainOptions, hooks: JobHooks): RunLog {
  const log = new RunLog(join(options.logs, options.name), hooks.onProgress);
  if (checkpointNames(log.folder).length > 0) joinRun(log, options);
  else startRun(log, options);
  return log;
}
