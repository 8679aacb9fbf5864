import { readFileSync } from 'node:fs';

import { recordFile } from '../../src/paths';
import { torch } from '../../src/torch';

// What every supported libtorch must do, whichever the addon is compiled against.

test('tensors add up', () => {
  expect(torch.ones([2, 3]).add(2).sum().item()).toBe(18);
});

test('gradients flow back', () => {
  const x = torch.tensor([1, 2, 3], { dtype: 'float32', requiresGrad: true });
  x.mul(x).sum().backward();
  expect(x.grad?.toArray()).toEqual([2, 4, 6]);
});

test('a convolution and a matrix product run', () => {
  const image = torch.ones([1, 3, 4, 4]);
  const kernel = torch.ones([2, 3, 3, 3]);
  expect(torch.conv2d(image, kernel).shape).toEqual([1, 2, 2, 2]);
  expect(
    torch
      .ones([2, 4])
      .matmul(torch.ones([4, 5]))
      .toArray(),
  ).toEqual(Array(2).fill(Array(5).fill(4)));
});

test('operators of the supported version are there', () => {
  const { libtorch } = JSON.parse(readFileSync(recordFile, 'utf8'));
  expect(libtorch.version).toMatch(/^2\.1[1-4]\./);
  expect(torch.ops.aten._upsample_bicubic2d_aa(torch.ones([1, 3, 8, 8]), [4, 4], false).shape).toEqual([1, 3, 4, 4]);
});
