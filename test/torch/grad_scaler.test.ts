import { loadClip } from '../../src/clip/model';
import { resolve } from '../../src/options/define';
import { trainOptions } from '../../src/options/train';
import { type Tensor, torch } from '../../src/torch';
import { GradScaler, type GradScalerOptions } from '../../src/torch/grad_scaler';
import { AdamW } from '../../src/torch/optim';
import { makeOptimizer } from '../../src/training/optimizer';
import { trainStep } from '../../src/training/step';
import { makeBatch } from '../support/batches';
import { miniModel } from '../support/pairs';

/** Two parameters, an optimizer with a moment of history, and steps on gradients that are given. */
function training(options: GradScalerOptions = {}) {
  const parameters = [
    torch.tensor([1, -2, 3], { dtype: 'float32', requiresGrad: true }),
    torch.tensor([[0.5]], { requiresGrad: true }),
  ];
  const optimizer = new AdamW([{ parameters, weightDecay: 0.1 }], { lr: 0.1 });
  const scaler = new GradScaler({ device: 'cpu', ...options });
  const step = (...gradients: number[]): void => {
    const loss = parameters
      .map((parameter, i) => parameter.mul(gradients[i]).sum())
      .reduce((sum, term) => sum.add(term));
    scaler.scale(loss).backward();
    scaler.step(optimizer);
    scaler.update();
    optimizer.zeroGrad();
  };
  const state = () =>
    [parameters, ...Object.values(optimizer.stateDict().state)].map((value) =>
      JSON.stringify(value, (_, item: unknown) => (item instanceof torch.Tensor ? item.toArray() : item)),
    );
  return { parameters, optimizer, scaler, step, state };
}

test('takes the steps of the optimizer alone while nothing overflows', () => {
  const { parameters, step } = training();
  const plain = [
    torch.tensor([1, -2, 3], { dtype: 'float32', requiresGrad: true }),
    torch.tensor([[0.5]], { requiresGrad: true }),
  ];
  const optimizer = new AdamW([{ parameters: plain, weightDecay: 0.1 }], { lr: 0.1 });
  for (const [a, b] of [
    [0.3, -1e-3],
    [2, 1e-6],
    [-0.7, 0],
  ]) {
    step(a, b);
    torch.add(plain[0].mul(a).sum(), plain[1].mul(b).sum()).backward();
    optimizer.step();
    optimizer.zeroGrad();
  }
  // 65536 is a power of 2: not a bit is lost
  parameters.forEach((parameter, i) => expect(parameter.equal(plain[i])).toBe(true));
});

test.each([
  ['infinite', 1e38],
  ['no number', NaN],
])('leaves a step out whose gradient is %s, and lowers the scale', (_, wrong) => {
  const { scaler, step, state } = training();
  step(1, 1);
  const before = state();
  step(1, wrong);
  expect(state()).toEqual(before); // weights, moments and the count of steps
  expect(scaler.getScale()).toBe(32768);
  step(1, 1);
  expect(state()).not.toEqual(before);
  expect(scaler.getScale()).toBe(32768);
});

test('raises the scale after enough steps in a row without an overflow', () => {
  const { scaler, step } = training({ initScale: 8, growthFactor: 4, backoffFactor: 0.25, growthInterval: 3 });
  const scales = [1, 1, 1e38, 1, 1, 1, 1].map((gradient) => {
    step(gradient, 0);
    return scaler.getScale();
  });
  expect(scales).toEqual([8, 8, 2, 2, 2, 8, 8]);
});

test('goes on from its state as if it had not been interrupted', () => {
  const [first, second] = [training({ initScale: 4, growthInterval: 2 }), training()];
  first.step(1, 0);
  second.scaler.loadStateDict(first.scaler.stateDict());
  for (const { step, scaler } of [first, second]) {
    step(1, 0);
    expect(scaler.getScale()).toBe(8);
  }
});

describe('in training', () => {
  const weights = { clipWeight: 1, inmodalWeight: 1 };

  test.each([1, 2])('scales a step in float16 that is computed in %i parts', (accumFreq) => {
    const take = (precision: 'fp32' | 'fp16', scaler?: GradScaler) => {
      const clip = loadClip(miniModel, { seed: 2, precision });
      const optimizer = makeOptimizer(clip, resolve(trainOptions, {}));
      const gradients: Tensor[] = [];
      const { step } = optimizer;
      optimizer.step = (scaling) => {
        gradients.push(
          ...optimizer
            .gradients()
            .map((gradient) => torch.keep(scaling === undefined ? gradient.clone() : gradient.div(scaling.gradScale))),
        );
        step.call(optimizer, scaling);
      };
      return {
        ...trainStep(clip, optimizer, makeBatch(miniModel, { pairs: 6, seed: 1 }), weights, { accumFreq, scaler })(),
        gradients,
      };
    };
    const [half, whole] = [take('fp16', new GradScaler({ device: 'cpu', initScale: 1024 })), take('fp32')];
    expect(half.loss_scale).toBe(1024);
    expect(whole.loss_scale).toBeUndefined();
    expect(Math.abs(half.loss - whole.loss)).toBeLessThan(0.02);
    const cosine = (a: Tensor[], b: Tensor[]): number =>
      torch.cosine_similarity(torch.cat(a.map((t) => t.flatten())), torch.cat(b.map((t) => t.flatten())), 0).item();
    expect(cosine(half.gradients, whole.gradients)).toBeGreaterThan(0.99);
  });

  test('waits for the device no more than without', () => {
    const waits = (fn: () => unknown): number =>
      torch.profile(() => void fn()).find(({ name }) => name === 'aten::_local_scalar_dense')?.calls ?? 0;
    const [clip, batch] = [
      loadClip(miniModel, { seed: 2, precision: 'fp16' }),
      makeBatch(miniModel, { pairs: 6, seed: 1 }),
    ];
    const optimizer = makeOptimizer(clip, resolve(trainOptions, {}));
    optimizer.step = () => {}; // on the CPU the fused kernel reads its step counters, on a GPU it leaves them there
    const scaler = new GradScaler({ device: 'cpu' });
    const own = waits(() => {
      torch.noGrad(() =>
        torch._amp_foreach_non_finite_check_and_unscale_([torch.ones([2])], torch.zeros([]), torch.ones([])),
      );
      torch._amp_update_scale_(torch.ones([]), torch.zeros([], { dtype: 'int32' }), torch.zeros([]), 2, 0.5, 2000);
    }); // the kernels of the CPU read their scalars, those of a GPU do not
    const plain = waits(() => trainStep(clip, optimizer, batch, weights));
    expect(waits(() => trainStep(clip, optimizer, batch, weights, { scaler }))).toBe(plain + own);
  });
});
