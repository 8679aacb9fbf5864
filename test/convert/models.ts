import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import type { ClipConfig } from '../../src/clip/config';
import type { Clip } from '../../src/clip/model';
import { type Tensor, torch } from '../../src/torch';
import { drawnIds, tinyViT } from '../parity/models';

export const resnet: ClipConfig = {
  embedDim: 32,
  imageSize: 64,
  visionLayers: [1, 2, 1, 1],
  visionWidth: 16,
  contextLength: 12,
  vocabularySize: 50,
  textWidth: 64,
  textHeads: 1,
  textLayers: 2,
};
export const vit = tinyViT;

/** Drawn images and captions of a model, and its features of them. */
export interface Answers {
  pixels: Tensor;
  ids: Tensor;
  image: Tensor;
  text: Tensor;
}

export function answersOf(clip: Clip, batch = 3): Answers {
  const { config } = clip.eval();
  const generator = new torch.Generator(7);
  const pixels = torch.randn([batch, 3, config.imageSize, config.imageSize], { generator });
  const ids = drawnIds(config, batch, generator);
  return torch.noGrad(() => ({ pixels, ids, image: clip.encodeImage(pixels), text: clip.encodeText(ids) }));
}

/** The largest difference of a model's features from these. */
export function gapOf(clip: Clip, { pixels, ids, image, text }: Answers): number {
  clip.eval();
  const gap = (a: Tensor, b: Tensor): number => a.sub(b).abs().max().item();
  return torch.noGrad(() => Math.max(gap(clip.encodeImage(pixels), image), gap(clip.encodeText(ids), text)));
}

/** The same of a folder of ONNX models in onnxruntime of Node. */
export function gapOfOnnx(folder: string, { pixels, ids, image, text }: Answers): number {
  const given = (tensor: Tensor): object => ({
    data: Array.from(tensor.data() as ArrayLike<number | bigint>, Number),
    shape: tensor.shape,
  });
  const input = JSON.stringify({ pixels: given(pixels), ids: given(ids) });
  const { stdout, stderr, status } = spawnSync(process.execPath, [join(__dirname, 'onnx_features.js'), folder], {
    input,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(stderr);
  const results = JSON.parse(stdout) as Record<'image' | 'text', { data: number[]; dims: number[]; type: string }>;
  const gaps = Object.entries({ image, text }).map(([tower, ours]) => {
    const { data, dims, type } = results[tower as 'image' | 'text'];
    expect([type, dims]).toEqual(['float32', ours.shape]);
    const theirs = torch.tensor(Float32Array.from(data)).reshape(dims);
    return theirs.sub(ours).abs().max().item();
  });
  return Math.max(...gaps);
}

/** Whether two models have the same weights to the bit. */
export function sameState(a: Clip, b: Clip): boolean {
  const [ours, theirs] = [a.stateDict(), b.stateDict()];
  expect(Object.keys(theirs)).toEqual(Object.keys(ours));
  return Object.entries(ours).every(([name, tensor]) => torch.equal(tensor, theirs[name]));
}
