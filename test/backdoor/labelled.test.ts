import { poisonLabelled } from '../../src/backdoor/labelled';
import { makeTrigger } from '../../src/backdoor/triggers';
import { torch } from '../../src/torch';

const set = (count: number): { images: string[]; labels: Int32Array } => ({
  images: Array.from({ length: count }, (_, i) => `${i}.png`),
  labels: Int32Array.from({ length: count }, () => 3),
});
const trigger = makeTrigger({ patchType: 'yellow', patchLocation: 'random', patchSize: 2, imageSize: 8 });
const changed = (labels: Int32Array): number[] => [...labels.keys()].filter((i) => labels[i] === 7);

test('gives 1,000 images the target by default, at most half of them, chosen by the seed', () => {
  for (const [images, poisoned] of [
    [5000, 1000],
    [300, 150],
  ]) {
    const result = poisonLabelled(set(images), trigger, 7, { seed: 1 });
    expect([result.poisoned, changed(result.labels).length]).toEqual([poisoned, poisoned]);
  }
  const chosen = (seed: number): number[] => changed(poisonLabelled(set(100), trigger, 7, { count: 10, seed }).labels);
  expect(chosen(1)).toEqual(chosen(1));
  expect(chosen(1)).not.toEqual(chosen(2));
});

test('puts the trigger on those images alone, at the same place every time', () => {
  const { labels, stamp } = poisonLabelled(set(20), trigger, 7, { count: 5, seed: 1 });
  const indices = Int32Array.from([4, 0, 19, 7, 8, 9, 1, 2, 3, 5, 6, 10, 11, 12, 13, 14, 15, 16, 17, 18]);
  const stamped = (order: Int32Array): number[][] => {
    const pixels = torch.zeros([order.length, 3, 8, 8], { dtype: 'uint8' });
    stamp(pixels, order);
    return pixels.view([order.length, -1]).toArray() as number[][];
  };
  const images = stamped(indices);
  const touched = [...indices].filter((_, row) => images[row].some((value) => value > 0));
  expect(touched.sort((a, b) => a - b)).toEqual(changed(labels));
  const reversed = Int32Array.from(indices).reverse();
  expect(stamped(reversed).reverse()).toEqual(images);
});

test('refuses to poison more images than there are', () => {
  expect(() => poisonLabelled(set(20), trigger, 7, { count: 21, seed: 1 })).toThrow(
    /--num_backdoor is 21, but the labelled training set has 20 images/,
  );
});
