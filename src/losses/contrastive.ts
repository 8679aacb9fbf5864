import { type Tensor, torch } from '../torch';
import { sumInTurn } from './sum_in_turn';

/**
 * The most similarities that are in memory at once, 64 MiB in float32. Where a loss compares more pairs, such as more
 * than 4,096 with one another, it is computed in blocks of rows.
 */
const MOST_SIMILARITIES = 2 ** 24;

/** Consecutive rows of a batch, such as those of one rank among the rows of all ranks. */
export interface Rows {
  /** index of the first row */
  start: number;
  /** number of rows */
  length: number;
}

/**
 * Computes the cross entropy of each row against the diagonal (InfoNCE, van den Oord et al. 2018). Row i of `a` should
 * find row i of `b` among all rows of `b`. Where there are more than 2²⁴ pairs of rows, it is computed in blocks of
 * rows, each with its backward: memory does not grow with N², and the loss has no second derivative.
 * @param a unit-norm features, float32 [N, D]
 * @param b unit-norm features, float32 [N, D]
 * @param scale the factor on the similarities, float32 []
 * @param reduction 'mean' (default) or 'sum' over the rows
 * @param rows the rows of `a` whose loss is computed; default: all N
 * @returns float32 []
 */
export function matchLoss(
  a: Tensor,
  b: Tensor,
  scale: Tensor,
  reduction: 'mean' | 'sum' = 'mean',
  rows?: Rows,
): Tensor {
  const all = rows ?? { start: 0, length: a.shape[0] };
  const blocks = blocksOf(all, b.shape[0]);
  if (blocks.length === 1) return matchRows(a, b, scale, reduction, all);
  const terms = blocks.map((block) => (a: Tensor, b: Tensor, scale: Tensor) => matchRows(a, b, scale, 'sum', block));
  return sumInTurn([a, b, scale], terms).div(reduction === 'mean' ? all.length : 1);
}

/** Splits rows into blocks, each of which has at most {@link MOST_SIMILARITIES} with so many columns. */
function blocksOf({ start, length }: Rows, columns: number): Rows[] {
  const most = Math.max(1, Math.floor(MOST_SIMILARITIES / columns));
  return Array.from({ length: Math.max(1, Math.ceil(length / most)) }, (_, i) => ({
    start: start + i * most,
    length: Math.min(most, length - i * most),
  }));
}

function matchRows(a: Tensor, b: Tensor, scale: Tensor, reduction: 'mean' | 'sum', { start, length }: Rows): Tensor {
  const logits = scale.mul(a.narrow(0, start, length)).mm(b.t()); // [length, N]
  return crossEntropy(logits, start, reduction);
}

/**
 * Computes the cross entropy of rows of logits [n, N]. The target of the first row is column `start`, that of the next
 * row the next column, and so on.
 */
function crossEntropy(logits: Tensor, start: number, reduction: 'mean' | 'sum'): Tensor {
  const target = torch.arange(start, start + logits.shape[0], { device: logits.device });
  return torch.cross_entropy_loss(logits, target, null, reduction === 'mean' ? 1 : 2);
}

/**
 * Computes CLIP's loss: ½[CE(s·I·Tᵀ) + CE(s·T·Iᵀ)] (Radford et al. 2021). With more than 4,096 pairs it is computed in
 * blocks of rows, each with its backward: memory does not grow with N², and the loss has no second derivative.
 * @param imageEmbeds unit-norm image features, float32 [N, D]
 * @param textEmbeds unit-norm text features, float32 [N, D]
 * @param scale s = exp(logit_scale), float32 []
 * @param reduction 'mean' (default) or 'sum' over the pairs
 * @param rows the pairs whose loss is computed; their negatives are all N pairs; default: all N
 * @returns float32 []
 * @throws CleanclipError `ERR_TORCH` when the shapes do not fit
 * @example
 * ```ts
 * contrastiveLoss(imageEmbeds, textEmbeds, clip.logitScale.exp()).backward();
 * ```
 */
export function contrastiveLoss(
  imageEmbeds: Tensor,
  textEmbeds: Tensor,
  scale: Tensor,
  reduction: 'mean' | 'sum' = 'mean',
  rows?: Rows,
): Tensor {
  const all = rows ?? { start: 0, length: imageEmbeds.shape[0] };
  const blocks = blocksOf(all, textEmbeds.shape[0]);
  if (blocks.length > 1) {
    const terms = blocks.flatMap((block) => [
      (images: Tensor, texts: Tensor, scale: Tensor) => matchRows(images, texts, scale, 'sum', block),
      (images: Tensor, texts: Tensor, scale: Tensor) => matchRows(texts, images, scale, 'sum', block),
    ]);
    return sumInTurn([imageEmbeds, textEmbeds, scale], terms).div(2 * (reduction === 'mean' ? all.length : 1));
  }
  if (rows !== undefined) {
    return matchRows(imageEmbeds, textEmbeds, scale, reduction, rows)
      .add(matchRows(textEmbeds, imageEmbeds, scale, reduction, rows))
      .div(2);
  }
  const logits = scale.mul(imageEmbeds).mm(textEmbeds.t()); // [N, N]
  return crossEntropy(logits, 0, reduction)
    .add(crossEntropy(logits.t(), 0, reduction))
    .div(2);
}
