import { type Tensor, torch } from '../torch';
import { type CleanClipInput, type CleanClipLoss, cleanClipLoss } from './cleanclip';

/** The input of `unlearnLoss`: CleanCLIP's features, and the pairs to unlearn. */
export interface UnlearnInput extends CleanClipInput {
  /** which of the pairs are poisoned, [N] */
  isBackdoor: readonly boolean[];
  /** cosine similarity that poisoned pairs are moved to, from -1 to 1; default 0 */
  target?: number;
  /** weight of the constraint; default 1 */
  constraintWeight?: number;
}

/** The parts of the loss, each float32 []. A part without pairs in the batch is absent. */
export interface UnlearnLoss extends Partial<CleanClipLoss> {
  /** loss of the clean pairs + constraintWeight · constraint */
  loss: Tensor;
  /** mean of (I·T − target)² over the poisoned pairs */
  constraint?: Tensor;
}

/**
 * Computes the loss of unlearning: CleanCLIP's loss over the clean pairs of a batch, plus `constraintWeight` times a
 * constraint. The constraint moves the similarity of each poisoned pair to `target`. Source: the option `--unlearn` of
 * the Python reference.
 * @param input features [N, D], logit scale, weights and the poisoned pairs
 * @returns the loss and its parts, each float32 []
 * @throws CleanclipError `ERR_OPTION` as {@link cleanClipLoss}
 * @example
 * ```ts
 * const isBackdoor = [true, false, false, false]; // of a batch of four pairs
 * const { loss } = unlearnLoss({ imageEmbeds, textEmbeds, logitScale: clip.logitScale, isBackdoor });
 * ```
 */
export function unlearnLoss({ isBackdoor, target = 0, constraintWeight = 1, ...features }: UnlearnInput): UnlearnLoss {
  const rowsOf = (marked: boolean): number[] => isBackdoor.flatMap((mark, row) => (mark === marked ? [row] : []));
  const [poisoned, clean] = [rowsOf(true), rowsOf(false)];
  if (poisoned.length === 0) return cleanClipLoss(features);

  const { imageEmbeds, textEmbeds } = pick(features, poisoned);
  const constraint = imageEmbeds.mul(textEmbeds).sum([1]).sub(target).square().mean();
  const weighted = constraint.mul(constraintWeight);
  if (clean.length === 0) return { loss: weighted, constraint };
  const parts = cleanClipLoss(pick(features, clean));
  return { ...parts, loss: parts.loss.add(weighted), constraint };
}

/** Selects the features of some of the pairs. */
function pick(features: CleanClipInput, rows: readonly number[]): CleanClipInput {
  const { imageEmbeds, textEmbeds, augmentedImageEmbeds, augmentedTextEmbeds } = features;
  const index = torch.tensor(Int32Array.from(rows)).to({ device: imageEmbeds.device, nonBlocking: true });
  const chosen = <T extends Tensor | undefined>(tensor: T): T => tensor?.index_select(0, index) as T;
  return {
    ...features,
    imageEmbeds: chosen(imageEmbeds),
    textEmbeds: chosen(textEmbeds),
    augmentedImageEmbeds: chosen(augmentedImageEmbeds),
    augmentedTextEmbeds: chosen(augmentedTextEmbeds),
  };
}
