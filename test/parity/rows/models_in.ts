import { join } from 'node:path';

import { loadClip } from '../../../src/clip/model';
import { type Tensor, torch } from '../../../src/torch';
import { python } from '../python';
import { inFolder } from './clip';
import { largest, largestDifference, type Part, type Row } from './row';

interface Answer {
  ids: Tensor;
  pixels: Tensor;
  images: Tensor;
  texts: Tensor;
}

/**
 * Named models of open_clip, cut to two layers but for the stages of ResNets, and small ones of what else its
 * configurations can say.
 */
const text = { context_length: 77, vocab_size: 49408, width: 64, heads: 1, layers: 2 };
const vision = { image_size: 32, layers: 2, width: 64, patch_size: 16 };
const openClip = {
  RN50: { cfg: 'RN50' },
  'ViT-B-32': { cfg: 'ViT-B-32' },
  'ViT-B-32-quickgelu': { cfg: 'ViT-B-32-quickgelu', bin: true },
  'ViT-H-14': { cfg: 'ViT-H-14' },
  CustomTextCLIP: { cfg: { embed_dim: 32, vision_cfg: vision, text_cfg: { ...text, proj_bias: true } }, custom: true },
  'layer scale': {
    cfg: { embed_dim: 32, vision_cfg: { ...vision, ls_init_value: 0.1 }, text_cfg: { ...text, ls_init_value: 0.1 } },
  },
  'mean of patches': { cfg: { embed_dim: 32, vision_cfg: { ...vision, pool_type: 'avg' }, text_cfg: text } },
};

const unit = (x: Tensor): Tensor => x.div(torch.ops.aten.linalg_vector_norm(x, 2, [-1], true));

const small = (hidden_act: string): object => ({
  text: { hidden_size: 64, intermediate_size: 256, num_hidden_layers: 2, num_attention_heads: 2, hidden_act },
  vision: {
    hidden_size: 96,
    intermediate_size: 384,
    num_hidden_layers: 2,
    num_attention_heads: 3,
    image_size: 32,
    patch_size: 8,
    hidden_act,
  },
  projection_dim: 48,
});

function parts(job: 'open_clip' | 'hf', models: object): Promise<Part[]> {
  return inFolder((folder) => {
    python('models_in.py', { job, folder, models });
    return torch.tidy(() => {
      const answers = torch.load(join(folder, 'answers.pt')) as Record<string, Answer>;
      return Object.keys(models).flatMap((name) => {
        const { ids, pixels, ...theirs } = answers[name];
        const clip = loadClip(join(folder, name)).eval();
        // as transformers gives them
        const scaled = (features: Tensor): Tensor => (job === 'hf' ? unit(features) : features);
        const ours = torch.noGrad(() => ({
          images: scaled(clip.encodeImage(pixels)),
          texts: scaled(clip.encodeText(ids)),
        }));
        const compared = (['images', 'texts'] as const).map((kind) => ({
          part: `${name}, ${kind}; ${job === 'hf' ? 'transformers' : 'open_clip'}`,
          cases: ids.shape[0],
          measured: largestDifference(ours[kind], theirs[kind]) / largest(theirs[kind]),
          limit: 1e-5,
        }));
        clip.dispose();
        return compared;
      });
    });
  });
}

export const modelsIn: Row = {
  name: 'models',
  what:
    'features of models that open_clip and transformers have written as folders, fp32, batch of 3, padded text; ' +
    'relative to the largest feature',
  reference: false,
  measure: async () => [
    ...(await parts('open_clip', openClip)),
    ...(await parts('hf', { 'quick_gelu, small': small('quick_gelu'), 'gelu, small': small('gelu') })),
  ],
};
