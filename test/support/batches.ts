import type { ClipConfig } from '../../src/clip/config';
import type { Batch } from '../../src/data/batch';
import { tokenize } from '../../src/text/tokenizer';
import { torch } from '../../src/torch';

/** A batch of drawn pixels and captions of many lengths, the last pair poisoned. */
export function makeBatch(
  { imageSize }: ClipConfig,
  { pairs, seed, inmodal = true }: { pairs: number; seed: number; inmodal?: boolean },
): Batch {
  const generator = new torch.Generator(seed);
  const pixels = () => torch.randint(0, 256, [pairs, 3, imageSize, imageSize], { dtype: 'uint8', generator });
  const ids = (word: string) =>
    tokenize(Array.from({ length: pairs }, (_, i) => `${word} ${seed} ${i} ${'cat '.repeat(i % 6)}`));
  const tensors = {
    pixels: pixels(),
    ids: ids('photo'),
    ...(inmodal && { augmentedPixels: pixels(), augmentedIds: ids('picture') }),
  };
  return {
    index: 0,
    rows: Int32Array.from({ length: pairs }, (_, i) => i),
    isBackdoor: Array.from({ length: pairs }, (_, i) => i === pairs - 1),
    ...tensors,
    dispose: () => Object.values(tensors).forEach((tensor) => tensor.dispose()),
  };
}
