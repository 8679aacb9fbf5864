/** What `--compat reference` changes, each decision by its name; docs/differences.md gives the reasons. */
export interface Compat {
  /** a long caption is cut without its end token */
  cutsEndToken: boolean;
  /** images are squashed to a square before the trigger goes on */
  squashesImages: boolean;
  /** a trigger wraps values around in 8 bits, and a random place never takes in the last row or column */
  wrapsTriggers: boolean;
  /** epochs count from 1 in the schedule of the learning rate, which so begins an epoch late */
  schedulesLate: boolean;
  /** finetuning goes on with the optimizer of its checkpoint */
  takesOptimizer: boolean;
  /** the target of unlearning is the negative of `--unlearn_target` */
  negatesUnlearnTarget: boolean;
  /** the accuracy of a finetuned classifier has the linear probe's name */
  namesFinetuneAsProbe: boolean;
  /** `--linear_probe_batch_size` only sets the batches of encoding, and the probe trains on `--batch_size` images */
  probesByBatchSize: boolean;
}

/** The decisions that a job's options make. */
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
