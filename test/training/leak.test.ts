import { loadClip } from '../../src/clip/model';
import { resolve } from '../../src/options/define';
import { trainOptions } from '../../src/options/train';
import { tokenize } from '../../src/text/tokenizer';
import { torch } from '../../src/torch';
import { makeOptimizer } from '../../src/training/optimizer';
import { trainStep } from '../../src/training/step';
import { miniModel } from '../support/pairs';

test('holds no more tensors and memory after 200 training steps than after 20', () => {
  const clip = loadClip({ ...miniModel }, { precision: 'bf16' });
  const optimizer = makeOptimizer(clip, resolve(trainOptions, {}));
  const captions = ['a cat', 'a red dog', 'two birds', 'grass and trees'];
  const step = (): void => {
    const batch = {
      index: 0,
      rows: Int32Array.from([0, 1, 2, 3]),
      isBackdoor: [false, false, false, false],
      pixels: torch.randint(0, 256, [4, 3, 32, 32], { dtype: 'uint8' }),
      augmentedPixels: torch.randint(0, 256, [4, 3, 32, 32], { dtype: 'uint8' }),
      ids: tokenize(captions),
      augmentedIds: tokenize(captions.map((caption) => `${caption} again`)),
      dispose: () => {},
    };
    trainStep(clip, optimizer, batch, { clipWeight: 1, inmodalWeight: 1 })();
    for (const tensor of [batch.pixels, batch.augmentedPixels, batch.ids, batch.augmentedIds]) tensor.dispose();
  };
  const after = (steps: number): { tensors: number; bytes: number; rss: number } => {
    for (let i = 0; i < steps; i++) step();
    return { ...torch.memory(), rss: process.memoryUsage().rss };
  };
  const early = after(20);
  const late = after(180);
  expect(late.tensors).toBe(early.tensors);
  expect(late.bytes).toBe(early.bytes);
  expect(late.rss - early.rss).toBeLessThan(40 * 2 ** 20);
});
