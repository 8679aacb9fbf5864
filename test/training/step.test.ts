import { type ClipConfig } from '../../src/clip/config';
import { type ClipOptions, loadClip } from '../../src/clip/model';
import { configs } from '../../src/clip/named';
import { resolve } from '../../src/options/define';
import { trainOptions } from '../../src/options/train';
import { type Tensor, torch } from '../../src/torch';
import { makeOptimizer } from '../../src/training/optimizer';
import { type LossWeights, type StepLosses, trainStep } from '../../src/training/step';
import { makeBatch } from '../support/batches';
import { miniModel } from '../support/pairs';

const vit: ClipConfig = {
  ...configs.tiny,
  imageSize: 32,
  visionLayers: 2,
  visionWidth: 128,
  visionPatchSize: 8,
  textLayers: 3,
};
const both: LossWeights = { clipWeight: 1, inmodalWeight: 0.5 };

interface Taken {
  losses: StepLosses;
  gradients: Record<string, Tensor>;
  statistics: Record<string, Tensor>;
}

interface Options extends ClipOptions {
  accumFreq?: number;
  train?: boolean;
  inmodal?: boolean;
  /** all pairs, not the last one */
  poisoned?: boolean;
  weights?: LossWeights;
}

/** One step's losses, gradients and batch-norm statistics. */
function take(
  config: ClipConfig,
  { accumFreq = 1, train = true, inmodal = true, poisoned = false, weights = both, ...options }: Options = {},
): Taken {
  const clip = loadClip(config, { seed: 2, ...options });
  if (train) clip.train();
  else clip.eval();
  const optimizer = makeOptimizer(clip, resolve(trainOptions, {}));
  const named = clip.namedParameters();
  let gradients: Record<string, Tensor> = {};
  optimizer.step = () => {
    gradients = Object.fromEntries(
      named.flatMap(([name, { grad }]) => (grad === null ? [] : [[name, torch.keep(grad.clone())]])),
    );
  };
  const batch = makeBatch(config, { pairs: 7, seed: 4, inmodal });
  if (poisoned) batch.isBackdoor.fill(true);
  const losses = trainStep(clip, optimizer, batch, weights, { accumFreq })();
  const names = new Set(named.map(([name]) => name));
  return {
    losses,
    gradients,
    statistics: Object.fromEntries(Object.entries(clip.stateDict()).filter(([name]) => !names.has(name))),
  };
}

/** The largest difference of all tensors, relative to the largest value. */
function apart(a: Record<string, Tensor>, b: Record<string, Tensor>): number {
  const largest = (pick: (name: string) => Tensor): number =>
    Math.max(0, ...Object.keys(a).map((name) => torch.tidy(() => pick(name).abs().max().item())));
  return largest((name) => a[name].sub(b[name])) / largest((name) => a[name]);
}

describe('in parts', () => {
  test.each([2, 3, 7, 100])('a ViT has the gradients of the whole batch: %i parts', (accumFreq) => {
    const [whole, parts] = [take(vit), take(vit, { accumFreq })];
    expect(Math.abs(parts.losses.loss - whole.losses.loss)).toBeLessThan(1e-6);
    expect(parts.losses.inmodal_loss).toBeCloseTo(whole.losses.inmodal_loss!, 6);
    expect(apart(parts.gradients, whole.gradients)).toBeLessThan(3e-6);
  });

  test('so has a ResNet where batch norm does not see the batch, with the plain loss and when unlearning', () => {
    const unlearn: LossWeights = { ...both, unlearn: { target: 0, constraintWeight: 2 } };
    for (const options of [
      { inmodal: false },
      { weights: unlearn },
      { weights: unlearn, poisoned: true },
      { gradCheckpointing: true },
    ]) {
      const [whole, parts] = [
        take(miniModel, { train: false, ...options }),
        take(miniModel, { train: false, accumFreq: 3, ...options }),
      ];
      expect(Object.keys(parts.gradients)).toEqual(Object.keys(whole.gradients));
      expect(apart(parts.gradients, whole.gradients)).toBeLessThan(3e-6);
      expect(parts.losses).toEqual(
        Object.fromEntries(
          Object.entries(whole.losses).map(([name, loss]) => [name, expect.closeTo(loss as number, 5)]),
        ),
      );
    }
  });

  test('moves the statistics of batch norm once a part, though each part is computed twice', () => {
    const { statistics } = take(miniModel, { accumFreq: 3 });
    expect(statistics['visual.bn1.num_batches_tracked'].item()).toBe(3);
  });
});

describe('with gradient checkpointing', () => {
  test.each([
    ['ResNet', miniModel],
    ['ViT', vit],
  ])('a %s has the same gradients and statistics to the last bit', (_, config) => {
    const [kept, computed] = [take(config), take(config, { gradCheckpointing: true })];
    expect(computed.losses).toEqual(kept.losses);
    expect(apart(computed.gradients, kept.gradients)).toBe(0);
    if (config === miniModel) expect(apart(computed.statistics, kept.statistics)).toBe(0);
  });

  test('the same under autocast', () => {
    const [kept, computed] = [
      take(vit, { precision: 'bf16' }),
      take(vit, { precision: 'bf16', gradCheckpointing: true }),
    ];
    expect(apart(computed.gradients, kept.gradients)).toBe(0);
  });
});

describe('waiting for the device', () => {
  // What makes the CPU wait for a GPU: reading a value, and results whose size depends on values.
  const waits = [
    'aten::_local_scalar_dense',
    'aten::is_nonzero',
    'aten::nonzero',
    'aten::masked_select',
    'aten::_unique2',
    'aten::equal',
  ];

  const unlearning: LossWeights = { ...both, unlearn: { target: 0, constraintWeight: 2 } };

  test.each([
    [1, both],
    [2, both],
    [1, unlearning],
  ])(
    'a step in %i parts, weighted %j, reads no value but the lengths of the captions, which are on the CPU',
    (accumFreq, weights) => {
      const clip = loadClip(miniModel, { seed: 2 });
      const optimizer = makeOptimizer(clip, resolve(trainOptions, {}));
      const batch = makeBatch(miniModel, { pairs: 6, seed: 1 });
      optimizer.step = () => {}; // on the CPU the fused kernel reads its step counters, on a GPU it leaves them there
      let read: (() => StepLosses) | undefined;
      const operators = torch.profile(() => (read = trainStep(clip, optimizer, batch, weights, { accumFreq })));
      const counted = operators.filter(({ name }) => waits.includes(name)).map(({ name, calls }) => [name, calls]);
      // the longest, and their sum
      expect(counted).toEqual([['aten::_local_scalar_dense', 2 * (accumFreq === 1 ? 1 : 2 * accumFreq)]]);
      const reading = torch.profile(() => read!()).filter(({ name }) => name === 'aten::copy_' || waits.includes(name));
      expect(reading.length).toBeLessThanOrEqual(1);
    },
  );
});
