import { join } from 'node:path';

import { type CompleteConfig, mlpWidth } from '../clip/config';
import { optionError } from '../errors';
import { END_TOKEN, START_TOKEN } from '../text/bpe';
import { torch } from '../torch';
import { writeJson } from './files';
import { huggingFaceState } from './hugging_face_names';
import { demand, type Outgoing } from './state';
import { writeTokenizer } from './tokenizer_files';

/**
 * Writes the format `hf`: a folder from which `transformers.CLIPModel`, `CLIPProcessor`, `CLIPTokenizer` and their Auto
 * classes load model, preprocessing and tokenizer. {@link checkHuggingFace} must have accepted the model.
 */
export function writeHuggingFace(folder: string, { config, state, half }: Outgoing): void {
  writeJson(folder, 'config.json', configOf(config, state.logit_scale.item(), half));
  writeJson(folder, 'preprocessor_config.json', preprocessorOf(config));
  writeTokenizer(folder, config.contextLength);
  torch.save(huggingFaceState(state), join(folder, 'model.safetensors'), { metadata: { format: 'pt' } });
}

/**
 * Refuses a model that `transformers.CLIPModel` cannot express.
 * @throws CleanclipError `ERR_OPTION` for a ResNet, a smaller vocabulary, or options that CLIPModel does not have
 */
export function checkHuggingFace(config: CompleteConfig): void {
  if (config.visionPatchSize === undefined) {
    throw optionError(
      "transformers' CLIPModel has a vision transformer, but the model has a ResNet; convert it --to open_clip, " +
        'safetensors or onnx.',
    );
  }
  if (config.vocabularySize <= END_TOKEN) {
    throw optionError(
      `The folder would hold CLIP's tokeniser of ${END_TOKEN + 1} ids, but the model knows ` +
        `only ${config.vocabularySize}; convert it --to open_clip or safetensors.`,
    );
  }
  const can = {
    visionLayerScale: [false],
    textLayerScale: [false],
    visionPreNorm: [true],
    visionPool: ['tok'],
    textPool: ['argmax', 'eos'],
    ...(config.textPool === 'eos' && { textEosId: [END_TOKEN] }),
    textCausal: [true],
    textProjectionBias: [false],
    logitBias: [false],
    resizeMode: ['shortest', 'squash'],
  };
  demand(config, "transformers' CLIPModel and CLIPProcessor", can, 'open_clip, safetensors or onnx');
}

/** Makes the content of `config.json`. Source: CLIPConfig, CLIPTextConfig and CLIPVisionConfig of transformers. */
function configOf(c: CompleteConfig, logitScale: number, half: boolean): object {
  const tower = (width: number, ratio: number, layers: unknown, heads: number): object => ({
    hidden_size: width,
    intermediate_size: mlpWidth(width, ratio),
    num_hidden_layers: layers,
    num_attention_heads: heads,
    hidden_act: c.activation,
    layer_norm_eps: 1e-5,
    attention_dropout: 0,
    projection_dim: c.embedDim,
  });
  return {
    architectures: ['CLIPModel'],
    model_type: 'clip',
    dtype: half ? 'float16' : 'float32',
    torch_dtype: half ? 'float16' : 'float32', // the name of the key before transformers 5
    projection_dim: c.embedDim,
    logit_scale_init_value: logitScale,
    text_config: {
      model_type: 'clip_text_model',
      ...tower(c.textWidth, c.textMlpRatio, c.textLayers, c.textHeads),
      vocab_size: c.vocabularySize,
      max_position_embeddings: c.contextLength,
      bos_token_id: START_TOKEN,
      eos_token_id: END_TOKEN,
      pad_token_id: END_TOKEN,
    },
    vision_config: {
      model_type: 'clip_vision_model',
      ...tower(c.visionWidth, c.visionMlpRatio, c.visionLayers, c.visionHeads),
      num_channels: 3,
      image_size: c.imageSize,
      patch_size: c.visionPatchSize,
    },
  };
}

/** The numbers that PIL gives its filters. */
const resample = { bilinear: 2, bicubic: 3 };

function preprocessorOf({ imageSize, imageMean, imageStd, interpolation, resizeMode }: CompleteConfig): object {
  const square = { height: imageSize, width: imageSize };
  return {
    image_processor_type: 'CLIPImageProcessor',
    feature_extractor_type: 'CLIPFeatureExtractor', // the name of the key before transformers 5
    processor_class: 'CLIPProcessor',
    do_convert_rgb: true,
    do_resize: true,
    size: resizeMode === 'squash' ? square : { shortest_edge: imageSize },
    resample: resample[interpolation],
    do_center_crop: resizeMode !== 'squash',
    crop_size: square,
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: imageMean,
    image_std: imageStd,
  };
}
