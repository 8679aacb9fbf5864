/** The decisions that `--compat reference` changes, by name; docs/differences.md gives the reasons. */
export interface Compat {
  /** a long caption loses its end token when it is cut */
  cutsEndToken: boolean;
  /** images are squashed to a square before the trigger is applied */
  squashesImages: boolean;
  /** values wrap around in 8 bits under a trigger, and random places never include the last row or column */
  wrapsTriggers: boolean;
  /** the learning rate schedule counts epochs from 1, so it begins one epoch late */
  schedulesLate: boolean;
  /** finetuning continues with the optimizer state of its checkpoint */
  takesOptimizer: boolean;
  /** the target of unlearning is the negative of `--unlearn_target` */
  negatesUnlearnTarget: boolean;
  /** the accuracy of a finetuned classifier is named as that of the linear probe */
  namesFinetuneAsProbe: boolean;
  /** `--linear_probe_batch_size` only sets the batch size of encoding; the probe trains in batches of `--batch_size` */
  probesByBatchSize: boolean;
}

/** Returns the decisions that the options of a job make. */
export function compatOf({ compat }: { compat?: 'reference' }): Compat {
  const reference = compat === 'reference';
  return {
    cutsEndToken: reference,
    squashesImages: reference,
    wrapsTriggers: reference,
    schedulesLate: reference,
    takesOptimizer: reference,
    negatesUnlearnTarget: reference,
    namesFinetuneAsProbe: reference,
    probesByBatchSize: reference,
  };
}
