import { sumInTurn } from '../../src/losses/sum_in_turn';
import { type Tensor, torch } from '../../src/torch';

const leaf = (values: number[]): Tensor => {
  const tensor = torch.tensor(values);
  tensor.requiresGrad = true;
  return tensor;
};
const terms = [0, 1, 2].map(
  (i) => (a: Tensor, b: Tensor) =>
    a
      .select(0, i)
      .mul(b.select(0, 2 - i))
      .exp(),
);

test('has the value and the gradients of the sum, scaled by what comes after it', () => {
  const [a, b] = [leaf([0.1, 0.2, 0.3]), leaf([1, 2, 3])];
  const whole = terms.map((term) => term(a, b)).reduce((sum, term) => sum.add(term));
  const wanted = torch.grad(whole.mul(3), [a, b]);
  const sum = sumInTurn([a, b], terms);
  expect(sum.item()).toBe(whole.item());
  sum.mul(3).backward();
  [a, b].forEach((input, i) => {
    const grad = input.grad!.toArray() as number[];
    (wanted[i]!.toArray() as number[]).forEach((value, at) => expect(grad[at]).toBeCloseTo(value, 5));
  });
});

test('gives inputs that are constants no gradient', () => {
  const [a, b] = [leaf([0.1, 0.2, 0.3]), torch.tensor([1, 2, 3])];
  sumInTurn([a, b], terms).backward();
  expect(a.grad).not.toBeNull();
  expect(b.grad).toBeNull();
  expect(sumInTurn([b, b], terms).requiresGrad).toBe(false);
  expect(torch.noGrad(() => sumInTurn([a, b], terms)).requiresGrad).toBe(false);
});

test('reaches what the inputs were made of', () => {
  const source = leaf([0.1, 0.2, 0.3]);
  sumInTurn([source.mul(2), torch.tensor([1, 2, 3])], terms).backward();
  const wanted = [0.1, 0.2, 0.3].map((x, i) => 2 * (3 - i) * Math.exp(2 * x * (3 - i)));
  (source.grad!.toArray() as number[]).forEach((value, i) => expect(value).toBeCloseTo(wanted[i], 3));
});

test('leaves no tensor behind but its result and the gradients', () => {
  const [a, b] = [leaf([0.1, 0.2, 0.3]), leaf([1, 2, 3])];
  const before = torch.memory().tensors;
  torch.tidy(() => void sumInTurn([a, b], terms));
  expect(torch.memory().tensors).toBe(before);
});
