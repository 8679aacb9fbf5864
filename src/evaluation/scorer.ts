import type { Tensor } from '../torch';

/** Computes the score of every class for every image: uint8 [B, 3, S, S] on the CPU → [B, classes]. */
export type Scorer = (pixels: Tensor) => Tensor;

/** Images that are scored at a time; the bits of scores may depend on it. */
export const IMAGES_A_BATCH = 128;
