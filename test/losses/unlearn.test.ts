import { cleanClipLoss, unlearnLoss } from '../../src/index';
import { type Tensor, torch } from '../../src/torch';
import { Tensor as TensorClass } from '../../src/torch/tensor';

const unitRows = (n: number, seed: number): Tensor => {
  const features = torch.randn([n, 5], { generator: new torch.Generator(seed) });
  return features.div(features.norm(2, [1], true));
};
const features = (n: number) => ({
  imageEmbeds: unitRows(n, 1),
  textEmbeds: unitRows(n, 2),
  augmentedImageEmbeds: unitRows(n, 3),
  augmentedTextEmbeds: unitRows(n, 4),
  logitScale: torch.tensor(2),
  inmodalWeight: 0.5,
});

describe('unlearnLoss', () => {
  test('is the loss of the clean pairs and the squared distance of the poisoned ones from the target', () => {
    const all = features(6);
    const isBackdoor = [false, true, false, false, true, false];
    const clean = torch.tensor([0, 2, 3, 5], { dtype: 'int64' });
    const cleanRows = (tensor: Tensor): Tensor => tensor.index_select(0, clean);
    const expected = cleanClipLoss({
      ...all,
      imageEmbeds: cleanRows(all.imageEmbeds),
      textEmbeds: cleanRows(all.textEmbeds),
      augmentedImageEmbeds: cleanRows(all.augmentedImageEmbeds),
      augmentedTextEmbeds: cleanRows(all.augmentedTextEmbeds),
    });
    const cosine = (row: number): number => all.imageEmbeds.select(0, row).dot(all.textEmbeds.select(0, row)).item();
    const constraint = ((cosine(1) - 0.25) ** 2 + (cosine(4) - 0.25) ** 2) / 2;

    const parts = unlearnLoss({ ...all, isBackdoor, target: 0.25, constraintWeight: 3 });
    expect(parts.contrastive!.item()).toBeCloseTo(expected.contrastive.item(), 6);
    expect(parts.inmodal!.item()).toBeCloseTo(expected.inmodal!.item(), 6);
    expect(parts.constraint!.item()).toBeCloseTo(constraint, 6);
    expect(parts.loss.item()).toBeCloseTo(expected.loss.item() + 3 * constraint, 5);
  });

  test('sends the indices of the pairs to the device of the features without waiting for it', () => {
    const copies = jest.spyOn(TensorClass.prototype, 'to');
    unlearnLoss({ ...features(3), isBackdoor: [false, true, false] });
    expect(copies.mock.calls).toEqual(Array(2).fill([{ device: 'cpu', nonBlocking: true }]));
    copies.mockRestore();
  });

  test("is CleanCLIP's loss where no pair is poisoned, and the constraint alone where all are", () => {
    const all = features(3);
    expect(unlearnLoss({ ...all, isBackdoor: [false, false, false] }).loss.item()).toBe(cleanClipLoss(all).loss.item());
    const { loss, contrastive, constraint } = unlearnLoss({
      ...all,
      isBackdoor: [true, true, true],
      constraintWeight: 2,
    });
    expect(contrastive).toBeUndefined();
    expect(loss.item()).toBeCloseTo(2 * constraint!.item(), 6);
  });
});
