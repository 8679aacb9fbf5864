import { type Tensor, torch } from '../torch';

/** Consecutive rows of a batch, such as those of one rank among the rows of all ranks. */
export interface Rows {
  start: number;
  length: number;
}

/**
 * Cross entropy of each row against the diagonal: row i of `a` should find row i of `b` among all rows of `b`
 * (InfoNCE, van den Oord et al. 2018).
 * @param a unit-norm features [N, D]
 * @param b unit-norm features [N, D]
 * @param scale the factor on the similarities, a 0-dimensional tensor
 * @param reduction 'mean' (default) or 'sum' over the rows
 * @param rows of `a` that the loss is of; default all N
 * @returns float32 scalar
 */
export function matchLoss(
  a: Tensor,
  b: Tensor,
  scale: Tensor,
  reduction: 'mean' | 'sum' = 'mean',
  rows?: Rows,
): Tensor {
  const { start, length } = rows ?? { start: 0, length: a.shape[0] };
  const logits = scale.mul(a.narrow(0, start, length)).mm(b.t()); // [length, N]
  return crossEntropy(logits, start, reduction);
}

/**
 * Cross entropy of rows of logits [n, N]. The target of the first row is column `start`, that of the next row the next
 * column, and so on.
 */
function crossEntropy(logits: Tensor, start: number, reduction: 'mean' | 'sum'): Tensor {
  const target = torch.arange(start, start + logits.shape[0], { device: logits.device });
  return torch.cross_entropy_loss(logits, target, null, reduction === 'mean' ? 1 : 2);
}

/**
 * CLIP's loss: ½[CE(s·I·Tᵀ) + CE(s·T·Iᵀ)] (Radford et al. 2021).
 * @param imageEmbeds unit-norm image features [N, D]
 * @param textEmbeds unit-norm text features [N, D]
 * @param scale s = exp(logit_scale), a 0-dimensional tensor
 * @param reduction 'mean' (default) or 'sum' over the pairs
 * @param rows the pairs whose loss it is; their negatives are all N pairs; default all N
 * @returns float32 scalar
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
  if (rows !== undefined) {
    return matchLoss(imageEmbeds, textEmbeds, scale, reduction, rows)
      .add(matchLoss(textEmbeds, imageEmbeds, scale, reduction, rows))
      .div(2);
  }
  const logits = scale.mul(imageEmbeds).mm(textEmbeds.t()); // [N, N]
  return crossEntropy(logits, 0, reduction)
    .add(crossEntropy(logits.t(), 0, reduction))
    .div(2);
}
