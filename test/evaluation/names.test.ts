import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { makeTrigger } from '../../src/backdoor/triggers';
import { Classifier, Linear } from '../../src/classify/classifier';
import { loadClip } from '../../src/clip/model';
import { readClasses } from '../../src/data/classes';
import { type LabelledSet, readLabelledSet } from '../../src/data/labelled';
import { attackOf } from '../../src/evaluation/attack';
import { classifierMetrics } from '../../src/evaluation/classifier';
import { distinctNames, namesakes } from '../../src/evaluation/names';
import { zeroshotMetrics } from '../../src/evaluation/zeroshot';
import type { TrainOptions } from '../../src/options/train';
import { torch } from '../../src/torch';
import { drawShapes, miniModel } from '../support/pairs';

let folder: string;
let set: LabelledSet;
beforeAll(async () => {
  folder = await drawShapes(1);
  set = await readLabelledSet(join(folder, 'test'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('names that the model reads alike are one class', () => {
  expect(distinctNames(['a b', 'c', 'A  B', 'a&amp;b', 'a&b', 'c'])).toEqual({
    names: ['a b', 'c', 'a&amp;b'],
    places: [0, 1, 0, 2, 2, 1],
  });
  expect(namesakes(['a', 'b', 'A', 'c'], 2)).toEqual([0, 2]);
});

test('ImageNet has 998 names, for missile and sunglasses are there twice', () => {
  const { classes } = readClasses(join(__dirname, '../../data/classes/ImageNet1K.json'));
  const { names, places } = distinctNames(classes);
  expect([classes.length, names.length]).toEqual([1000, 998]);
  expect(classes.filter((_, i) => places.indexOf(places[i]) !== i)).toEqual(['missile', 'sunglasses']);
});

const attackOn = (
  target: number,
): { trigger: ReturnType<typeof makeTrigger>; target: number; asr: boolean; seed: number } => ({
  trigger: makeTrigger({ patchType: 'yellow', patchSize: 12, imageSize: 32 }),
  target,
  asr: true,
  seed: 9,
});

/**
 * The same images where class 4 is listed once more at a place, and every second image of the repeated class has either
 * label.
 */
function repeated(at: number): { set: LabelledSet; target: number } {
  const classes = [...set.classes];
  classes.splice(at, 0, set.classes[4]);
  const shifted = (label: number): number => (label >= at ? label + 1 : label);
  const labels = set.labels.map((label) => (label === 4 ? at : shifted(label)));
  return { set: { ...set, classes, labels }, target: classes.indexOf(set.classes[4]) };
}

test.each([0, 4, 5, 12])(
  'zero-shot numbers are those of the list without repetitions, with the repeated name at %i',
  async (at) => {
    const clip = loadClip({ ...miniModel }, { seed: 5 }).eval();
    const { set: twice, target } = repeated(at);
    const once = await zeroshotMetrics(clip, set, { numWorkers: 0, attack: attackOn(4) });
    expect(once.asr_top10).toBeGreaterThan(0);
    expect(await zeroshotMetrics(clip, twice, { numWorkers: 0, attack: attackOn(target) })).toEqual(once);
  },
);

test.each([0, 5, 12])(
  "a classifier's outputs for the target's namesakes are the target, with the repeated name at %i",
  async (at) => {
    const clip = loadClip({ ...miniModel }, { seed: 5 }).eval();
    const { set: twice, target } = repeated(at);
    const linear = new Linear(32, 13);
    torch.noGrad(() => {
      linear.weight.zero_();
      // the added output always wins, its namesake does not
      linear.bias.copy_(torch.tensor(twice.classes.map((_, i) => (i === at ? 20 : 10 - i / 2))));
    });
    const metrics = await classifierMetrics('finetune', new Classifier(clip, linear), twice, {
      numWorkers: 0,
      attack: attackOn(target),
    });
    // the one image of that output is not attacked
    expect(metrics).toMatchObject({ asr_top1: 1, finetune_accuracy: 1 / 12, triggered_finetune_accuracy: 0 });
  },
);

test('the target of --label is found as the model reads it', () => {
  expect(attackOf({ label: 'Hot  Dog', seed: 0 } as TrainOptions, ['cat', 'hot dog', 'hot dog'], 32).target).toBe(1);
});
