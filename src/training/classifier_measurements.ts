import type { Classifier } from '../classify/classifier';
import type { Evaluator } from '../evaluation/evaluator';
import { dueAfterEpoch, dueAtStep, type Measuring } from '../options/measuring';
import type { RunLog } from '../run/log';
import type { LoopEnd } from '../run/loop_parts';
import { fromFirstRank } from '../run/ranks';
import type { LoopState } from '../run/state';

/** The measurements of a classifier while it is finetuned, before the one at the end. */
export interface ClassifierMeasurements {
  /** Tells whether the classifier of a state is to be measured, and was not before the run was resumed. */
  isDue(state: LoopState): boolean;
  /** Measures the classifier if that is due. Every rank calls it. */
  measure(state: LoopState): Promise<void>;
}

/**
 * Opens the measurements of a finetuning, by `--eval_every_epochs` and `--eval_every_steps`. Every rank calls it.
 * @param before called before each measurement
 */
export async function classifierMeasurements(
  run: { options: Measuring; log: RunLog; evaluator: Evaluator; classifier: Classifier; end: LoopEnd },
  before: () => void,
): Promise<ClassifierMeasurements> {
  const { options, log, evaluator, classifier, end } = run;
  const done = await fromFirstRank(() =>
    log.history.flatMap(({ type, step, epoch }) => (type === 'evaluation' && epoch > 0 ? [step] : [])),
  );
  const isDue = (state: LoopState): boolean => {
    if (state.epoch >= end.epoch || state.step >= end.step || done.includes(state.step)) return false;
    return state.batch > 0 ? dueAtStep(options, state.step) : dueAfterEpoch(options, state, 0);
  };
  return {
    isDue,
    async measure(state) {
      if (!isDue(state)) return;
      before();
      const epoch = state.batch > 0 ? state.epoch + 1 : state.epoch;
      evaluator.report(log, { epoch, step: state.step }, await evaluator.finetuned(log, classifier));
      if (state.batch > 0) classifier.clip.train();
    },
  };
}
