import { type PreprocessConfig } from '../images/preprocess_config';
import type { NativeGenerator } from '../torch/addon';
import type { NativeGroup } from '../torch/distributed/native';
import type { Handle } from '../torch/handle';
import { type CompleteConfig, mlpWidth } from './config';

/**
 * A configuration in the form that native/clip/binding.cc reads. A VisionTransformer has one element in `visionLayers`,
 * a ResNet has patch size 0, and MLPs have hidden features instead of ratios.
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

/** Converts a configuration to the form of {@link NativeConfig}. */
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

/** The constructor of the model in C++. Without a generator its tensors stay uninitialised. */
export type NativeClipClass = new (config: NativeConfig, generator: NativeGenerator | null) => NativeClip;
