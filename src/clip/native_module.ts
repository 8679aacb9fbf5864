import { type PreprocessConfig } from '../images/preprocess_config';
import type { NativeGenerator } from '../torch/addon';
import type { NativeGroup } from '../torch/distributed/native';
import type { Handle } from '../torch/handle';
import { type CompleteConfig, mlpWidth } from './config';

/**
 * A configuration as native/clip/binding.cc reads it: one layer for a VisionTransformer, patch size 0 for a ResNet, the
 * hidden features of MLPs.
 */
export interface NativeConfig extends Omit<
  CompleteConfig,
  'visionLayers' | 'visionMlpRatio' | 'textMlpRatio' | keyof PreprocessConfig
> {
  imageSize: number;
  visionLayers: number[];
  visionPatchSize: number;
  visionMlpWidth: number;
  textMlpWidth: number;
}

/** The same configuration in the form of {@link NativeConfig}. */
export const nativeConfig = (config: CompleteConfig): NativeConfig => ({
  ...config,
  visionLayers: [config.visionLayers].flat(),
  visionPatchSize: config.visionPatchSize ?? 0,
  visionMlpWidth: mlpWidth(config.visionWidth, config.visionMlpRatio),
  textMlpWidth: mlpWidth(config.textWidth, config.textMlpRatio),
});

/** The model in C++; see native/clip/binding.cc. */
export interface NativeClip {
  encodeImage(pixels: Handle): Handle;
  encodeText(ids: Handle, pack: boolean): Handle;
  forward(ids: Handle, pixels: Handle, pack: boolean, repeated: boolean): [Handle, Handle];
  state(): [name: string, tensor: Handle, isParameter: boolean][];
  train(on: boolean): void;
  setCheckpointing(on: boolean): void;
  syncBatchNorm(group: NativeGroup | null): void;
  to(device: string, dtype: string): void;
  dispose(): void;
}

/** Makes a model; without a generator its tensors stay unfilled. */
export type NativeClipClass = new (config: NativeConfig, generator: NativeGenerator | null) => NativeClip;
