import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { cleanClipLoss } from '../../src/losses';
import { torch, type Tensor } from '../../src/torch';
import { AdamW, type OptimizerState } from '../../src/torch/optim';
import { cosineSchedule } from '../../src/torch/schedule';
import { OrderedDict } from '../../src/torch/serialization';
import { python } from './python';

type Numbers = number | Numbers[];
interface Result {
  losses: number[];
  gradients: Record<string, Numbers>;
  weights: Record<string, Numbers>;
}

const folder = mkdtempSync(join(tmpdir(), 'cleanclip-parity-'));
afterAll(() => rmSync(folder, { recursive: true }));
jest.setTimeout(60_000);

const random = (shape: number[], seed: number, scale = 1): number[][] =>
  torch.randn(shape, { generator: new torch.Generator(seed) }).mul(scale).toArray() as number[][];
const weights: Record<string, Numbers> = {
  image: random([12, 6], 1, 0.3), image_bias: random([6], 2), text: random([10, 6], 3, 0.3), text_bias: random([6], 4), logit_scale: 2.5,
};
const batches = [0, 1, 2].map((i) => ({
  images: random([8, 12], 10 + i), otherImages: random([8, 12], 20 + i), texts: random([8, 10], 30 + i), otherTexts: random([8, 10], 40 + i),
}));
const job = { weights, batches, lr: 0.05, warmup: 4, total: 20 };

/** The same in this library. */
function run(until: number, files: { load?: string; save?: string } = {}): Result {
  const model = Object.fromEntries(Object.entries(weights).map(([name, value]) => [name, torch.tensor(value, { requiresGrad: true })]));
  const names = Object.keys(model);
  const exempt = names.filter((name) => /bias|logit_scale/.test(name));
  const optimizer = new AdamW(
    [
      { parameters: exempt.map((name) => model[name]), weightDecay: 0 },
      { parameters: names.filter((name) => !exempt.includes(name)).map((name) => model[name]), weightDecay: 0.1 },
    ],
    { lr: job.lr },
  );
  let start = 0;
  if (files.load !== undefined) {
    const loaded = torch.load(files.load) as { state_dict: Record<string, Tensor>; optimizer: OptimizerState; step: number };
    torch.noGrad(() => names.forEach((name) => model[name].copy_(loaded.state_dict[name])));
    optimizer.loadStateDict(loaded.optimizer);
    start = loaded.step;
  }
  const rate = cosineSchedule(job.lr, job.warmup, job.total);
  const embed = (x: number[][], weight: Tensor, bias: Tensor): Tensor => {
    const features = torch.tensor(x).mm(weight).add(bias);
    return features.div(features.norm(2, [1], true));
  };
  const losses: number[] = [];
  let gradients: Record<string, Numbers> | undefined;
  for (let step = start; step < until; step++) {
    const batch = batches[step % batches.length];
    optimizer.lr = rate(step);
    const { loss } = cleanClipLoss({
      imageEmbeds: embed(batch.images, model.image, model.image_bias),
      augmentedImageEmbeds: embed(batch.otherImages, model.image, model.image_bias),
      textEmbeds: embed(batch.texts, model.text, model.text_bias),
      augmentedTextEmbeds: embed(batch.otherTexts, model.text, model.text_bias),
      logitScale: model.logit_scale,
      inmodalWeight: 0.5,
    });
    loss.backward();
    gradients ??= Object.fromEntries(names.map((name) => [name, model[name].grad!.toArray() as Numbers]));
    optimizer.step();
    optimizer.zeroGrad();
    torch.noGrad(() => model.logit_scale.clamp_(0, 4.6052));
    losses.push(loss.item());
  }
  if (files.save !== undefined) {
    const stateDict = new OrderedDict(Object.entries(model).map(([name, tensor]) => [name, tensor.detach()]));
    torch.save({ epoch: 0, name: 'p', state_dict: stateDict, optimizer: optimizer.stateDict(), step: until }, files.save);
  }
  return { losses, gradients: gradients!, weights: Object.fromEntries(names.map((name) => [name, model[name].toArray() as Numbers])) };
}

const flat = (value: Numbers | Record<string, Numbers>): number[] =>
  typeof value === 'number' ? [value] : Object.values(value).flatMap((item: Numbers) => flat(item));

function expectClose(ours: Numbers | Record<string, Numbers>, theirs: Numbers | Record<string, Numbers>, limit: number): void {
  const [a, b] = [flat(ours), flat(theirs)];
  expect(a.length).toBe(b.length);
  const largest = Math.max(...b.map(Math.abs));
  expect(Math.max(...a.map((x, i) => Math.abs(x - b[i]))) / largest).toBeLessThanOrEqual(limit);
}

it('gives the loss and every gradient of one CleanCLIP step as Python does', () => {
  const ours = run(1);
  const theirs = python('training.py', { ...job, until: 1 }) as Result;
  expectClose(ours.losses, theirs.losses, 1e-6);
  for (const name of Object.keys(weights)) expectClose(ours.gradients[name], theirs.gradients[name], 1e-6);
});

it('follows Python over 20 steps of AdamW, warm-up and cosine', () => {
  const ours = run(20);
  const theirs = python('training.py', { ...job, until: 20 }) as Result;
  expectClose(ours.losses, theirs.losses, 1e-5);
  expectClose(ours.weights, theirs.weights, 1e-5);
});

it('lets Python continue its checkpoint, optimizer included', () => {
  const save = join(folder, 'ours.pt');
  run(7, { save });
  const continued = python('training.py', { ...job, load: save, until: 12 }) as Result;
  expectClose(continued.losses, run(12).losses.slice(7), 1e-5);
});

it("continues Python's checkpoint, optimizer included", () => {
  const save = join(folder, 'theirs.pt');
  python('training.py', { ...job, save, until: 7 });
  const continued = run(12, { load: save });
  expectClose(continued.losses, (python('training.py', { ...job, until: 12 }) as Result).losses.slice(7), 1e-5);
});
