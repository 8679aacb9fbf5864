/** What a rank computes in a step, in seconds on an idle machine, and what it exchanges, in bytes. */
export interface Work {
  forward: number;
  backward: number;
  optimizer: number;
  /**
   * gradients that are exchanged together, in the order in which they are ready; `at`: seconds after the start of
   * backward
   */
  buckets: { bytes: number; at: number }[];
  /** features of this rank's pairs, which all ranks gather in forward */
  features: number;
  /** with gather_with_grad, the gradients of the features are summed over the ranks before backward goes on */
  featureGradients: boolean;
  /** batch-norm statistics, which rank 0 sends to all before forward */
  buffers: number;
  /** what each rank sends to all others before a step; 0 when the ranks do not agree on steps */
  agreement: number;
  /** seconds that the loader of a rank takes for a batch, at the same time as the step */
  data: number;
}

/** The slowest link of the ring that the ranks make. */
export interface Link {
  /** bytes per second */
  bandwidth: number;
  /** seconds of a message without bytes */
  latency: number;
  /** cores that an exchange keeps busy in each rank: 0 where a network card does it */
  cores: number;
}

/** Where the ranks run. */
export interface Cluster {
  ranks: number;
  link: Link;
  /** the link by which ranks agree on a step; by default that of the gradients */
  control?: Link;
  /**
   * cores per rank, which computes with one; Infinity for a GPU, which computes one step behind its CPU
   */
  cores: number;
}

/** The expected times of a step, in seconds. */
export interface Step {
  step: number;
  /** before forward; with a GPU, during the step before */
  agreement: number;
  forward: number;
  backward: number;
  optimizer: number;
  /** backward without an exchange */
  backwardAlone: number;
  /** the exchange of the gradients without computation */
  exchange: number;
  /** the fraction of the exchange that backward hides; NaN without an exchange */
  overlap: number;
}

export function allReduceSeconds(bytes: number, ranks: number, link: Link): number;
export function allGatherSeconds(bytes: number, ranks: number, link: Link): number;
export function broadcastSeconds(bytes: number, ranks: number, link: Link): number;
export function simulateStep(work: Work, cluster: Cluster): Step;
export function overlapOf(alone: number, exchange: number, together: number): number;
