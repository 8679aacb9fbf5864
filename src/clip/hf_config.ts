import { CleanclipError } from '../errors';
import { type PreprocessConfig } from '../images/preprocess_config';
import { show } from '../show';
import { type ClipConfig, mlpRatio } from './config';

type Fields = Record<string, unknown>;

/** The defaults of CLIPTextConfig and CLIPVisionConfig of transformers, which config.json may leave out. */
const textDefaults = {
  vocab_size: 49408,
  hidden_size: 512,
  intermediate_size: 2048,
  num_hidden_layers: 12,
  num_attention_heads: 8,
  max_position_embeddings: 77,
  hidden_act: 'quick_gelu',
  layer_norm_eps: 1e-5,
  eos_token_id: 49407,
};
const visionDefaults = {
  hidden_size: 768,
  intermediate_size: 3072,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  num_channels: 3,
  image_size: 224,
  patch_size: 32,
  hidden_act: 'quick_gelu',
  layer_norm_eps: 1e-5,
};

/** Tells whether JSON content is the configuration of a model of transformers. */
export const isHfConfig = (json: unknown): json is Fields => isFields(json) && typeof json.model_type === 'string';

/**
 * Converts the configuration of a `CLIPModel` of transformers.
 * @param json the content of config.json
 * @param path the file it was read from, for errors
 * @param processor the content of preprocessor_config.json; without it preprocessing has CLIP's defaults
 * @throws CleanclipError `ERR_CHECKPOINT` for models, activations or epsilons that are not supported
 */
export function hfConfig(json: Fields, path: string, processor?: unknown): ClipConfig {
  if (json.model_type !== 'clip')
    throw refusal(
      path,
      `is the configuration of a model of type ${show(json.model_type)}; of Hugging Face's models a CLIPModel ` +
        `('clip') is taken`,
    );
  const t = { ...textDefaults, ...part(json, 'text_config') };
  const v = { ...visionDefaults, ...part(json, 'vision_config') };
  const activations: Record<string, 'quick_gelu' | 'gelu'> = { quick_gelu: 'quick_gelu', gelu: 'gelu' };
  const activation = activations[t.hidden_act];
  if (t.hidden_act !== v.hidden_act || activation === undefined) {
    throw refusal(
      path,
      `has the hidden_act ${show(t.hidden_act)} for texts and ${show(v.hidden_act)} for images; both must be ` +
        `'quick_gelu', or both 'gelu'`,
    );
  }
  for (const { layer_norm_eps: eps } of [t, v])
    if (eps !== 1e-5) throw refusal(path, `has the layer_norm_eps ${show(eps)}; it must be 1e-5`);
  if (v.num_channels !== 3) throw refusal(path, `has num_channels ${show(v.num_channels)}; it must be 3`);
  const imageSize = square(v.image_size);
  return {
    embedDim: (json.projection_dim ?? 512) as number,
    imageSize,
    visionLayers: v.num_hidden_layers,
    visionWidth: v.hidden_size,
    visionPatchSize: square(v.patch_size),
    visionHeads: v.num_attention_heads,
    visionMlpRatio: mlpRatio(v.hidden_size, v.intermediate_size),
    contextLength: t.max_position_embeddings,
    vocabularySize: t.vocab_size,
    textWidth: t.hidden_size,
    textHeads: t.num_attention_heads,
    textLayers: t.num_hidden_layers,
    textMlpRatio: mlpRatio(t.hidden_size, t.intermediate_size),
    activation,
    // Old configurations have 2, which is wrong; transformers takes the highest id for them.
    ...(t.eos_token_id === 2
      ? { textPool: 'argmax' as const }
      : { textPool: 'eos' as const, textEosId: t.eos_token_id }),
    ...(isFields(processor) && preprocessing(processor, imageSize, path)),
  };
}

/** Converts the options of CLIPImageProcessor of transformers. */
function preprocessing(processor: Fields, imageSize: number, path: string): PreprocessConfig {
  const p = isFields(processor.image_processor) ? processor.image_processor : processor;
  const refuse = (name: string, wanted: string): never => {
    throw refusal(path, `has a preprocessor whose ${name} is ${show(p[name])}; it must be ${wanted}`);
  };
  for (const name of ['do_resize', 'do_rescale', 'do_normalize']) if (p[name] === false) refuse(name, 'true');
  const resample = p.resample ?? 3;
  if (resample !== 3 && resample !== 2) refuse('resample', '3 (bicubic) or 2 (bilinear)');
  if (p.rescale_factor !== undefined && Math.abs((p.rescale_factor as number) - 1 / 255) > 1e-6)
    refuse('rescale_factor', '1/255');
  const size = (isFields(p.size) ? p.size : { shortest_edge: p.size ?? 224 }) as Record<string, number>;
  const squash = size.height === imageSize && size.width === imageSize;
  if (!squash && size.shortest_edge !== imageSize) refuse('size', `the model's ${imageSize}`);
  const crop = isFields(p.crop_size) ? [p.crop_size.height, p.crop_size.width] : [p.crop_size ?? imageSize];
  if (p.do_center_crop !== false && crop.some((side) => side !== imageSize))
    refuse('crop_size', `the model's ${imageSize}`);
  if (p.do_center_crop === false && !squash) refuse('do_center_crop', 'true');
  return {
    ...(p.image_mean !== undefined && { imageMean: p.image_mean as number[] }),
    ...(p.image_std !== undefined && { imageStd: p.image_std as number[] }),
    interpolation: resample === 2 ? 'bilinear' : 'bicubic',
    resizeMode: squash ? 'squash' : 'shortest',
    cropRounding: 'down',
  };
}

/** Returns a part of config.json. Files of old versions may hold it under its name and `_dict`. */
function part(json: Fields, name: string): Fields {
  const found = [json[name], json[`${name}_dict`]].find(isFields) ?? {};
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== null && value !== undefined));
}

const square = (value: unknown): number =>
  (Array.isArray(value) && value.length === 2 && value[0] === value[1] ? value[0] : value) as number;

const refusal = (path: string, what: string): CleanclipError =>
  new CleanclipError(`'${path}' ${what}.`, 'ERR_CHECKPOINT');

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
