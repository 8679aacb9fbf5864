/** What a rank computes in a step, in seconds with the machine to itself, and what it exchanges, in bytes. */
export interface Work {
  forward: number;
  backward: number;
  optimizer: number;
  /**
   * gradients that are exchanged together, in the order in which they are ready: so many seconds after backward began
   */
  buckets: { bytes: number; at: number }[];
  /** features of the own pairs, which all ranks gather in forward */
  features: number;
  /** gather_with_grad: their gradients are summed over the ranks, and each gets its own, before backward goes on */
  featureGradients: boolean;
  /** batch-norm statistics, which rank 0 sends to all before forward */
  buffers: number;
  /** what each rank tells all others of a step before it; 0 when they do not agree on steps */
  agreement: number;
  /** seconds between two batches that the loader of a rank delivers, while the step computes */
  data: number;
}

/** The slowest link of the ring that the ranks make. */
export interface Link {
  /** bytes a second */
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
  /** by which they agree on a step; default that of the gradients */
  control?: Link;
  /**
   * cores that there are for each rank, which computes with one: Infinity where a GPU computes, a step behind its CPU
   */
  cores: number;
}

/** A step as it is expected, in seconds. */
export interface Step {
  step: number;
  /** before forward; where a GPU computes, during the step before */
  agreement: number;
  forward: number;
  backward: number;
  optimizer: number;
  /** backward if nothing were exchanged */
  backwardAlone: number;
  /** the gradients' exchange if nothing were computed */
  exchange: number;
  /** the share of the exchange that backward hides; NaN where there is nothing to exchange */
  overlap: number;
}

export function allReduceSeconds(bytes: number, ranks: number, link: Link): number;
export function allGatherSeconds(bytes: number, ranks: number, link: Link): number;
export function broadcastSeconds(bytes: number, ranks: number, link: Link): number;
export function simulateStep(work: Work, cluster: Cluster): Step;
export function overlapOf(alone: number, exchange: number, together: number): number;
