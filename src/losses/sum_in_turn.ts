import { type Tensor, torch } from '../torch';

/**
 * Sums terms that are computed one after another, so that the graph of only one of them is in memory at a time. Each
 * term runs its backward at once, and its gradients are added to those of the inputs. The backward of the sum only
 * scales them, so the sum has no second derivative.
 * @param inputs the tensors that the terms depend on
 * @param terms compute one term each, a scalar, from the inputs in their order
 * @returns a scalar whose gradients for the inputs are those of the sum of all terms
 */
export function sumInTurn<Inputs extends readonly Tensor[]>(
  inputs: Inputs,
  terms: readonly ((...inputs: Inputs) => Tensor)[],
): Tensor {
  const leaves = inputs.map(leafOf) as readonly Tensor[] as Inputs;
  const values = terms.map((term) =>
    torch.tidy(() => {
      const value = term(...leaves);
      if (value.requiresGrad) value.backward();
      return value.detach();
    }),
  );
  const sum = values.reduce((total, value) => total.add(value));
  const slopes = inputs.flatMap((input, i) => (leaves[i].grad === null ? [] : [dot(input, leaves[i].grad)]));
  if (slopes.length === 0) return sum;
  const linear = slopes.reduce((total, slope) => total.add(slope));
  return sum.add(linear.sub(linear.detach())); // the value of the sum, with the gradients of the terms
}

/** Returns the sum of all products, and frees them. */
const dot = (a: Tensor, b: Tensor): Tensor => torch.tidy(() => a.mul(b).sum());

/** Returns a tensor of the same values that starts a graph of its own. */
function leafOf(input: Tensor): Tensor {
  const leaf = input.detach();
  leaf.requiresGrad = input.requiresGrad;
  return leaf;
}
