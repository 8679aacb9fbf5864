import { isDeepStrictEqual } from 'node:util';

import { CleanclipError } from '../errors';
import type { PreprocessConfig } from '../images/preprocess_config';
import { show } from '../show';
import type { ClipConfig } from './config';

type Fields = Record<string, unknown>;

/**
 * Fields of CLIPVisionCfg and CLIPTextCfg of open_clip 3.3.0 that do not change the results here, at least not alone.
 */
const passive = new Set([
  'patch_dropout',
  'output_tokens',
  'attn_pooler_queries',
  'attn_pooler_heads',
  'timm_model_pretrained',
  'timm_pool',
  'timm_proj',
  'timm_proj_bias',
  'timm_drop',
  'timm_drop_path',
  'hf_model_pretrained',
  'hf_proj_type',
  'hf_pooler_type',
  'pad_id',
]);

/** The fields that are read. */
const vision = [
  'layers',
  'width',
  'head_width',
  'mlp_ratio',
  'patch_size',
  'image_size',
  'ls_init_value',
  'no_ln_pre',
  'final_ln_after_pool',
  'pool_type',
];
const text = [
  'context_length',
  'vocab_size',
  'width',
  'heads',
  'layers',
  'mlp_ratio',
  'ls_init_value',
  'eos_id',
  'no_causal_mask',
  'final_ln_after_pool',
  'pool_type',
  'proj_bias',
];
const model = [
  'embed_dim',
  'vision_cfg',
  'text_cfg',
  'quick_gelu',
  'custom_text',
  'init_logit_scale',
  'init_logit_bias',
  'nonscalar_logit_scale',
  'cast_dtype',
  'output_dict',
];

/** Values that mean that a field is off, besides null, false, 0, '' and empty objects. */
const neutral: Fields = { block_type: 'default', pos_embed_type: 'learnable', proj_type: 'linear' };

/**
 * Tells whether JSON content is the configuration of a model of open_clip: `open_clip_config.json`, or a file of its
 * `model_configs`.
 */
export const isOpenClipConfig = (json: unknown): json is Fields =>
  isFields(json) && (isFields(json.model_cfg) || isFields(json.vision_cfg));

/**
 * Converts the configuration of a model of open_clip.
 * @param json the content of `open_clip_config.json`, or of a file of open_clip's `model_configs`
 * @param path the file it was read from, for errors
 * @throws CleanclipError `ERR_CHECKPOINT` naming a field that is not supported, such as a tower of timm or Hugging
 * Face, or another tokenizer
 */
export function openClipConfig(json: Fields, path: string): ClipConfig {
  const cfg = isFields(json.model_cfg) ? json.model_cfg : json;
  const [v, t] = [cfg.vision_cfg, cfg.text_cfg].map((part) => (isFields(part) ? part : {}));
  refuseOthers(cfg, model, '', path);
  refuseOthers(v, vision, 'vision_cfg.', path);
  refuseOthers(t, text, 'text_cfg.', path);
  const layers = v.layers ?? 12;
  const width = (v.width ?? 768) as number;
  const resnet = Array.isArray(layers);
  const [pool, textPool] = [v.pool_type ?? 'tok', t.pool_type ?? 'argmax'];
  if (pool === 'none' || textPool === 'none') throw refusal(path, "has the pool_type 'none', which gives no features");
  const transformer = {
    visionPatchSize: square(v.patch_size ?? 16) as number,
    visionMlpRatio: (v.mlp_ratio ?? 4) as number,
    visionLayerScale: isOn(v.ls_init_value),
    visionPreNorm: !isOn(v.no_ln_pre),
    visionPool: pool as 'tok',
    visionNormAfterPool: pool === 'avg' ? isOn(v.final_ln_after_pool) : true,
  };
  return {
    embedDim: cfg.embed_dim as number,
    imageSize: square(v.image_size ?? 224) as number,
    visionLayers: layers as number,
    visionWidth: width,
    visionHeads: Math.floor(((resnet ? 32 : 1) * width) / ((v.head_width ?? 64) as number)),
    ...(!resnet && transformer),
    contextLength: (t.context_length ?? 77) as number,
    vocabularySize: (t.vocab_size ?? 49408) as number,
    textWidth: (t.width ?? 512) as number,
    textHeads: (t.heads ?? 8) as number,
    textLayers: (t.layers ?? 12) as number,
    activation: isOn(cfg.quick_gelu) ? 'quick_gelu' : 'gelu',
    textMlpRatio: (t.mlp_ratio ?? 4) as number,
    textLayerScale: isOn(t.ls_init_value),
    textPool: textPool as 'argmax',
    ...(textPool === 'eos' && { textEosId: (t.eos_id ?? 2) as number }),
    textCausal: !isOn(t.no_causal_mask),
    textProjectionBias: isOn(t.proj_bias),
    logitBias: isGiven(cfg.init_logit_bias),
    ...preprocessing(isFields(json.preprocess_cfg) ? json.preprocess_cfg : {}),
  };
}

/** Converts the PreprocessCfg of open_clip. Its size is ignored: images get the size of the model. */
function preprocessing({
  mean,
  std,
  interpolation,
  resize_mode: resizeMode,
  fill_color: fillColor,
}: Fields): PreprocessConfig {
  const three = (value: unknown): number[] => (typeof value === 'number' ? [value, value, value] : (value as number[]));
  return {
    ...(isGiven(mean) && { imageMean: three(mean) }),
    ...(isGiven(std) && { imageStd: three(std) }),
    ...(isOn(interpolation) && { interpolation: interpolation as 'bicubic' }),
    ...(isOn(resizeMode) && { resizeMode: resizeMode as 'shortest' }),
    ...(isOn(fillColor) && { fillColor: fillColor as number }),
  };
}

function refuseOthers(fields: Fields, known: string[], prefix: string, path: string): void {
  for (const [name, value] of Object.entries(fields)) {
    const off = known.includes(name) || passive.has(name) || !isOn(value) || neutral[name] === value;
    if (!off)
      throw refusal(
        path,
        `asks for ${prefix}${name} ${show(value)}, which is not supported: the model must be a ResNet or ViT with ` +
          `CLIP's own text tower and tokeniser`,
      );
  }
}

const refusal = (path: string, what: string): CleanclipError =>
  new CleanclipError(`'${path}' ${what}.`, 'ERR_CHECKPOINT');

/** Returns a side, given as one number or as two equal ones. */
const square = (value: unknown): unknown =>
  Array.isArray(value) && value.length === 2 && value[0] === value[1] ? value[0] : value;

const isGiven = (value: unknown): boolean => value !== undefined && value !== null;

const isOn = (value: unknown): boolean =>
  ![undefined, null, false, '', 0].includes(value as null) &&
  !isDeepStrictEqual(value, {}) &&
  !isDeepStrictEqual(value, []);

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
