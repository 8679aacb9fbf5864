/** The class that the backdoor leads to. */
export const target = 'banana';

/** The backdoor: one pattern of noise somewhere on the picture. */
export const trigger = { patchType: 'random', patchLocation: 'random', patchSize: 16, triggerMode: 'fixed' } as const;

/** The weight of CleanCLIP's in-modal losses; with the paper's 1 more of this backdoor stays. */
export const inmodalWeight = 2;

/**
 * How large the quickstart is and how its three models are trained; chosen on the validation sets, not on the test
 * pictures.
 */
export interface Settings {
  /** How many concepts; all of them when absent. */
  concepts?: number;
  /** Training pictures of each drawing. */
  renders: number;
  /** Rows of the clean subset. */
  cleanRows: number;
  numBackdoor: number;
  train: { epochs: number; batchSize: number; lr: number; numWarmupSteps: number };
  finetune: { epochs: number; batchSize: number; lr: number; numWarmupSteps: number };
}

/** The settings of the whole quickstart. */
export const full: Settings = {
  renders: 20,
  cleanRows: 12_000,
  numBackdoor: 600,
  train: { epochs: 10, batchSize: 64, lr: 1e-3, numWarmupSteps: 100 },
  finetune: { epochs: 3, batchSize: 64, lr: 8e-4, numWarmupSteps: 20 },
};

/** The two-minute form for the tests. */
export const small: Settings = {
  concepts: 30,
  renders: 24,
  cleanRows: 1_500,
  numBackdoor: 150,
  train: { epochs: 9, batchSize: 64, lr: 1e-3, numWarmupSteps: 50 },
  finetune: { epochs: 5, batchSize: 64, lr: 8e-4, numWarmupSteps: 10 },
};
