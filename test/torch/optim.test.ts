import { torch } from '../../src/torch';
import { AdamW } from '../../src/torch/optim';

test.each([
  [{ lr: -1 }, /lr must be a number of at least 0, but is -1/],
  [{ lr: 1, betas: [2, 2] }, /betas must be two numbers from 0 to below 1, but are \[2,2\]/],
  [{ lr: 1, betas: [0.9, NaN] }, /betas must be two numbers/],
  [{ lr: 1, betas: [0.9] }, /betas must be two numbers/],
  [{ lr: 1, eps: -1 }, /eps must be a number of at least 0/],
])('%j is refused', (options, message) => {
  expect(() => new AdamW([], options as never)).toThrow(message);
});

test('a state that was loaded in a scope outlives it', () => {
  using weight = torch.ones([2], { requiresGrad: true });
  const optimizers = [1, 2].map(() => new AdamW([{ parameters: [weight], weightDecay: 0 }], { lr: 0.1 }));
  weight.mul(3).sum().backward();
  optimizers[0].step();
  torch.tidy(() => optimizers[1].loadStateDict(optimizers[0].stateDict()));
  optimizers[1].step();
  expect(optimizers[1].moments()[0].item()).toBe(2);
});
