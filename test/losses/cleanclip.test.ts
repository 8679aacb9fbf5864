import { cleanClipLoss } from '../../src/losses';
import { type Tensor, torch } from '../../src/torch';

const unit = (rows: number[][]): Tensor => torch.tensor(rows.map((row) => row.map((x) => x / Math.hypot(...row))));

/** ½ of the cross entropies of s·a·bᵀ against its diagonal, along rows and columns, in plain numbers. */
function crossEntropy(a: number[][], b: number[][], s: number): number {
  const logits = a.map((x) => b.map((y) => s * x.reduce((sum, v, i) => sum + v * y[i], 0)));
  return (
    logits.reduce((sum, row, i) => sum + Math.log(row.reduce((z, l) => z + Math.exp(l), 0)) - row[i], 0) / a.length
  );
}

const images = unit([
  [1, 2, 0],
  [0, 1, -1],
  [3, 0, 1],
]);
const texts = unit([
  [1, 1, 0],
  [1, 1, -2],
  [1, 0, 1],
]);
const otherImages = unit([
  [1, 2, 1],
  [0, 2, -1],
  [3, 1, 1],
]);
const otherTexts = unit([
  [0, 1, 0],
  [1, 1, -1],
  [2, 0, 1],
]);
const rows = (t: Tensor): number[][] => t.toArray() as number[][];
const logitScale = torch.tensor(Math.log(5));

describe('cleanClipLoss', () => {
  const ce = (a: Tensor, b: Tensor): number => crossEntropy(rows(a), rows(b), 5);
  const contrastive = (ce(images, texts) + ce(texts, images)) / 2;
  const inmodal = (ce(images, otherImages) + ce(texts, otherTexts)) / 2;

  test("is CLIP's loss without augmented views", () => {
    const losses = cleanClipLoss({ imageEmbeds: images, textEmbeds: texts, logitScale });
    expect(losses.loss.item()).toBeCloseTo(contrastive, 5);
    expect(losses.inmodal).toBeUndefined();
  });

  test('adds the in-modal losses by their weights', () => {
    const losses = cleanClipLoss({
      imageEmbeds: images,
      textEmbeds: texts,
      augmentedImageEmbeds: otherImages,
      augmentedTextEmbeds: otherTexts,
      logitScale,
      clipWeight: 2,
      inmodalWeight: 0.5,
    });
    expect(losses.contrastive.item()).toBeCloseTo(contrastive, 5);
    expect(losses.inmodal?.item()).toBeCloseTo(inmodal, 5);
    expect(losses.loss.item()).toBeCloseTo(2 * contrastive + 0.5 * inmodal, 5);
  });

  test('gives gradients to all four feature matrices and to the scale', () => {
    const leaves = [images, texts, otherImages, otherTexts].map((t) => t.clone());
    const scale = logitScale.clone();
    for (const leaf of [...leaves, scale]) leaf.requiresGrad = true;
    const [imageEmbeds, textEmbeds, augmentedImageEmbeds, augmentedTextEmbeds] = leaves;
    cleanClipLoss({
      imageEmbeds,
      textEmbeds,
      augmentedImageEmbeds,
      augmentedTextEmbeds,
      logitScale: scale,
    }).loss.backward();
    for (const leaf of [...leaves, scale]) expect(leaf.grad!.abs().sum().item()).toBeGreaterThan(0);
  });

  test('refuses one augmented view alone, and shapes that differ', () => {
    const input = { imageEmbeds: images, textEmbeds: texts, logitScale };
    expect(() => cleanClipLoss({ ...input, augmentedImageEmbeds: otherImages })).toThrow(
      /together, but only one was given/,
    );
    expect(() => cleanClipLoss({ ...input, textEmbeds: texts.narrow(0, 0, 2) })).toThrow(
      'textEmbeds is [2,3] beside [3,3]',
    );
  });
});
