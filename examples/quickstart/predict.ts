import * as cc from 'cleanclip';
import sharp from 'sharp';

import { type Concept, readConcepts } from './concepts';
import { imageSize } from './render';
import { target, trigger } from './settings';
import type { SheetCell } from './sheet';

const count = 10;

/** Pictures without and with the trigger, and what two models take them for. */
export interface Predicted {
  clean: SheetCell[];
  triggered: SheetCell[];
}

/**
 * Puts the trigger on ten pictures of a labelled folder, drawn by the seed from the classes other than the target, and
 * asks two models what the pictures are, without and with the trigger.
 *
 * @param models paths of checkpoints
 */
export async function predictPictures(
  folder: string,
  models: { before: string; after: string },
  seed: number,
): Promise<Predicted> {
  const set = await cc.readLabelledSet(folder);
  const others = [...set.images.keys()].filter((i) => set.classes[set.labels[i]] !== target);
  const rows = new cc.Random(seed, 2).shuffle(others).slice(0, count);
  const clean = await Promise.all(rows.map((row) => sharp(set.images[row]).removeAlpha().png().toBuffer()));
  const triggered = await Promise.all(rows.map((row) => withTrigger(set.images[row], seed, row)));
  const before = await predict(models.before, [...clean, ...triggered], set);
  const after = await predict(models.after, [...clean, ...triggered], set);

  const concepts = readConcepts();
  const concept = (label: number): Concept => concepts.filter(({ name }) => name === set.classes[label])[0];
  const cells = [...clean, ...triggered].map((png, k) => ({
    png,
    truth: concept(set.labels[rows[k % rows.length]]),
    before: concept(before[k]),
    after: concept(after[k]),
  }));
  return { clean: cells.slice(0, rows.length), triggered: cells.slice(rows.length) };
}

/** The picture with the trigger on it, as PNG. */
async function withTrigger(file: string, seed: number, row: number): Promise<Buffer> {
  const { data, info } = await sharp(file).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const pixels = cc.torch.tidy(() => {
    const image = cc.torch.tensor(new Uint8Array(data), { shape: [info.height, info.width, 3] }).permute([2, 0, 1]);
    return cc
      .applyTrigger(image, { ...trigger, seed, random: new cc.Random(seed, row) })
      .permute([1, 2, 0])
      .contiguous()
      .data() as Uint8Array;
  });
  return sharp(pixels, { raw: { width: info.width, height: info.height, channels: 3 } })
    .png()
    .toBuffer();
}

/** The class that a checkpoint's model takes each picture for, as its label. */
async function predict(checkpoint: string, pngs: Buffer[], { classes, templates }: cc.LabelledSet): Promise<number[]> {
  const clip = cc.loadClip(checkpoint);
  clip.eval();
  const images = await Promise.all(pngs.map((png) => cc.preprocess(png, { size: imageSize })));
  return cc.torch.noGrad(() =>
    cc.torch.tidy(() => {
      const unit = (features: cc.Tensor): cc.Tensor => features.div(features.norm(2, [-1], true)); // [..., D]
      const prompts = classes.flatMap((name) => templates.map((template) => template(name))); // C × T
      const promptFeatures = unit(clip.encodeText(cc.tokenize(prompts))).view([classes.length, templates.length, -1]);
      const classFeatures = unit(promptFeatures.mean([1])); // [C, D]
      const similarity = unit(clip.encodeImage(cc.torch.stack(images))).matmul(classFeatures.t()); // [N, C]
      return similarity.argmax(1).toArray() as number[];
    }),
  );
}
