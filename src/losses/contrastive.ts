import { torch, type Tensor } from '../torch';

/**
 * Cross entropy of each row against the diagonal: row i of `a` should find row i of `b` among all rows of `b`
 * (InfoNCE, van den Oord et al. 2018).
 * @param a unit-norm features [N, D]
 * @param b unit-norm features [N, D]
 * @param scale the factor on the similarities, a 0-dimensional tensor
 * @param reduction 'mean' (default) or 'sum' over the N rows
 * @returns float32 scalar
 */
export function matchLoss(a: Tensor, b: Tensor, scale: Tensor, reduction: 'mean' | 'sum' = 'mean'): Tensor {
  const logits = scale.mul(a).mm(b.t()); // [N, N]
  return diagonalCrossEntropy(logits, reduction);
}

/** Cross entropy of the rows of a square matrix of logits [N, N] against its diagonal. */
function diagonalCrossEntropy(logits: Tensor, reduction: 'mean' | 'sum'): Tensor {
  const target = torch.arange(logits.shape[0], { device: logits.device });
  return torch.cross_entropy_loss(logits, target, null, reduction === 'mean' ? 1 : 2);
}

/**
 * CLIP's loss: ½[CE(s·I·Tᵀ) + CE(s·T·Iᵀ)] (Radford et al. 2021).
 * @param imageEmbeds unit-norm image features [N, D]
 * @param textEmbeds unit-norm text features [N, D]
 * @param scale s = exp(logit_scale), a 0-dimensional tensor
 * @param reduction 'mean' (default) or 'sum' over the N pairs
 * @returns float32 scalar
 */
export function contrastiveLoss(
  imageEmbeds: Tensor,
  textEmbeds: Tensor,
  scale: Tensor,
  reduction: 'mean' | 'sum' = 'mean',
): Tensor {
  const logits = scale.mul(imageEmbeds).mm(textEmbeds.t()); // [N, N]
  return diagonalCrossEntropy(logits, reduction).add(diagonalCrossEntropy(logits.t(), reduction)).div(2);
}
