import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { contrastiveLoss, matchLoss } from '../../src/losses';
import { type Tensor, torch } from '../../src/torch';

const PAIRS = 4100; // just more than are compared at once

/** Features [n, 8] and a scale that need gradients. */
function inputs(n: number): Tensor[] {
  const generator = new torch.Generator(3);
  const features = [0, 1].map(() => {
    const drawn = torch.randn([n, 8], { generator });
    return drawn.div(drawn.norm(2, [1], true));
  });
  const all = [...features, torch.tensor(10)];
  for (const tensor of all) tensor.requiresGrad = true;
  return all;
}

/** CLIP's loss as the reference writes it, with all similarities in memory. */
function wholeLoss(images: Tensor, texts: Tensor, scale: Tensor): Tensor {
  const logits = scale.mul(images).mm(texts.t());
  const target = torch.arange(images.shape[0]);
  return torch.cross_entropy_loss(logits, target).add(torch.cross_entropy_loss(logits.t(), target)).div(2);
}

const gradientsOf = (loss: (images: Tensor, texts: Tensor, scale: Tensor) => Tensor, n: number): Tensor[] => {
  const all = inputs(n);
  const value = loss(all[0], all[1], all[2]);
  value.backward();
  return [value.detach(), ...all.map(({ grad }) => grad!)];
};

/** The largest difference, relative to the largest value. */
const apart = (a: Tensor, b: Tensor): number => a.sub(b).abs().max().item() / b.abs().max().item();

test('up to 4,096 pairs have the numbers of the whole matrix, to the last bit', () => {
  const [blocks, whole] = [contrastiveLoss, wholeLoss].map((loss) => gradientsOf(loss, 512));
  blocks.forEach((tensor, i) => expect(apart(tensor, whole[i])).toBe(0));
});

test('more pairs have the loss and the gradients of the whole matrix', () => {
  const [blocks, whole] = [contrastiveLoss, wholeLoss].map((loss) => gradientsOf(loss, PAIRS));
  blocks.forEach((tensor, i) => expect(apart(tensor, whole[i])).toBeLessThan(3e-6));
});

test('the loss of some rows, and the sum, are parts of that of all', () => {
  const [images, texts, scale] = inputs(PAIRS);
  const all = matchLoss(images, texts, scale, 'sum').item();
  const parts = [
    { start: 0, length: 2 },
    { start: 2, length: PAIRS - 2 },
  ].map((rows) => matchLoss(images, texts, scale, 'sum', rows).item());
  expect((parts[0] + parts[1]) / all).toBeCloseTo(1, 6);
  expect(matchLoss(images, texts, scale).item() / (all / PAIRS)).toBeCloseTo(1, 6);
});

// elsewhere the system does not tell the peak of a process
const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux('12,000 pairs take less memory than one matrix of their similarities, 549 MiB', () => {
  const script = `
    const { contrastiveLoss, torch } = require(${JSON.stringify(join(__dirname, '../..'))});
    const features = [0, 1].map(() => torch.randn([12000, 8]));
    features.forEach((tensor) => (tensor.requiresGrad = true));
    contrastiveLoss(...features.map((tensor) => tensor.narrow(0, 0, 100)), torch.ones([])).backward();
    const before = process.resourceUsage().maxRSS;
    contrastiveLoss(...features, torch.ones([])).backward();
    console.log((process.resourceUsage().maxRSS - before) / 1024);`;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(Number(stdout)).toBeLessThan(450);
});
