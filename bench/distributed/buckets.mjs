// Finds which gradients are exchanged together, and in which order they become ready.

/**
 * Returns the buckets of the last backward, whose gradients must still exist: the gradients of a bucket share its
 * memory. The bucket that is ready first comes first.
 * @param {[name: string, parameter: object][]} named the parameters of a CLIP, in its order
 * @returns {object[][]} the parameters of each bucket
 */
export function bucketsOf(named) {
  const inOrder = named
    .map(([name, parameter], i) => ({ parameter, turn: turnOf(name), i }))
    .sort((a, b) => a.turn - b.turn || b.i - a.i);
  const buckets = new Map();
  for (const { parameter } of inOrder) {
    const { storageKey } = parameter.grad;
    const bucket = buckets.get(storageKey) ?? [];
    buckets.delete(storageKey); // so that a bucket's place in the map is that of its last gradient
    buckets.set(storageKey, [...bucket, parameter]);
  }
  return [...buckets.values()];
}

/**
 * Returns the turn of a parameter in backward. Forward computes images, then texts, then the loss; backward goes the
 * other way, and in each part from the last layer to the first.
 */
function turnOf(name) {
  if (name === 'logit_scale') return 0;
  if (/^(text_projection|ln_final)/.test(name)) return 1;
  if (name.startsWith('transformer.')) return 2;
  return name.startsWith('visual.') ? 4 : 3;
}
