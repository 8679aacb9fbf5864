import { join } from 'node:path';

import type { CompleteConfig } from '../clip/config';
import { torch } from '../torch';
import { writeJson } from './files';
import type { Outgoing } from './state';

/**
 * Writes the format `open_clip`: a folder that `open_clip.create_model_from_pretrained('local-dir:<folder>')` loads.
 * Its weights keep OpenAI's names, as those of `open_clip.CLIP`.
 */
export function writeOpenClip(folder: string, { config, state }: Outgoing): void {
  writeJson(folder, 'open_clip_config.json', { model_cfg: modelOf(config), preprocess_cfg: preprocessOf(config) });
  torch.save(state, join(folder, 'open_clip_model.safetensors'), { metadata: { format: 'pt' } });
}

/**
 * Makes the `model_cfg` of `open_clip.CLIP`. Source: CLIPVisionCfg, CLIPTextCfg and CLIP of open_clip/model.py, 3.3.0.
 */
function modelOf(c: CompleteConfig): object {
  return {
    embed_dim: c.embedDim,
    quick_gelu: c.activation === 'quick_gelu',
    ...(c.logitBias && { init_logit_bias: -10 }), // the state dict overrides this initial value
    vision_cfg: c.visionPatchSize === undefined ? resnetOf(c) : transformerOf(c, c.visionPatchSize),
    text_cfg: {
      context_length: c.contextLength,
      vocab_size: c.vocabularySize,
      width: c.textWidth,
      heads: c.textHeads,
      layers: c.textLayers,
      mlp_ratio: c.textMlpRatio,
      ...(c.textLayerScale && { ls_init_value: 1e-5 }),
      ...(!c.textCausal && { no_causal_mask: true }),
      ...(c.textPool !== 'argmax' && { pool_type: c.textPool }),
      ...(c.textPool === 'eos' && { eos_id: c.textEosId }),
      ...(c.textProjectionBias && { proj_bias: true }),
    },
  };
}

const resnetOf = (c: CompleteConfig): object => ({
  image_size: c.imageSize,
  layers: c.visionLayers,
  width: c.visionWidth,
  patch_size: null,
  head_width: (32 * c.visionWidth) / c.visionHeads,
});

const transformerOf = (c: CompleteConfig, patchSize: number): object => ({
  image_size: c.imageSize,
  layers: c.visionLayers,
  width: c.visionWidth,
  patch_size: patchSize,
  head_width: c.visionWidth / c.visionHeads,
  mlp_ratio: c.visionMlpRatio,
  ...(c.visionLayerScale && { ls_init_value: 1e-5 }),
  ...(!c.visionPreNorm && { no_ln_pre: true }),
  ...(c.visionPool === 'avg' && { pool_type: 'avg', final_ln_after_pool: c.visionNormAfterPool }),
});

/** Makes the `preprocess_cfg`. Source: PreprocessCfg of open_clip/transform.py. */
const preprocessOf = (c: CompleteConfig): object => ({
  size: c.imageSize,
  mode: 'RGB',
  mean: c.imageMean,
  std: c.imageStd,
  interpolation: c.interpolation,
  resize_mode: c.resizeMode,
  fill_color: c.fillColor,
});
