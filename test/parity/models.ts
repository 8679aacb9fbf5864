import type { ClipConfig } from '../../src/clip/config';
import { type Clip, loadClip } from '../../src/clip/model';
import { type Tensor, torch } from '../../src/torch';

/** A ViT that computes in milliseconds. */
export const tinyViT: ClipConfig = {
  embedDim: 64,
  imageSize: 32,
  visionLayers: 2,
  visionWidth: 128,
  visionPatchSize: 8,
  contextLength: 20,
  vocabularySize: 500,
  textWidth: 128,
  textHeads: 2,
  textLayers: 3,
};

/** A model of drawn weights. New ones leave residual branches and statistics at 0 and 1, which would hide them. */
export function livelyClip(config: ClipConfig, seed: number, packText = true): Clip {
  const clip = loadClip(config, { seed, packText });
  const generator = new torch.Generator(seed);
  torch.noGrad(() => {
    for (const [name, tensor] of Object.entries(clip.stateDict())) {
      if (/bn3\.weight|running_var/.test(name)) tensor.uniform_(0.3, 0.7, { generator });
      if (/running_mean|(bn\d|ln_\w+|attn\.\w*)\.?bias/.test(name)) tensor.uniform_(-0.1, 0.1, { generator });
    }
  });
  return clip;
}

/** Captions of drawn ids, of many lengths: int64 [batch, contextLength], the end token the highest id. */
export function drawnIds(
  { contextLength, vocabularySize }: ClipConfig,
  batch: number,
  generator: InstanceType<typeof torch.Generator>,
): Tensor {
  const ids = torch.zeros([batch, contextLength], { dtype: 'int64' });
  for (let row = 0; row < batch; row++) {
    const words = 3 + ((5 * row) % (contextLength - 4));
    ids
      .select(0, row)
      .narrow(0, 0, words)
      .random_(1, vocabularySize - 1, { generator });
    ids
      .select(0, row)
      .select(0, words)
      .fill_(vocabularySize - 1);
  }
  return ids;
}
