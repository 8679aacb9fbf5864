import type { NativeGenerator } from '../torch/addon';
import type { NativeGroup } from '../torch/distributed/native';
import type { Handle } from '../torch/handle';

/** A configuration as native/clip/binding.cc reads it: one layer for a VisionTransformer, patch size 0 for a ResNet. */
export interface NativeConfig {
  embedDim: number;
  imageSize: number;
  visionLayers: number[];
  visionWidth: number;
  visionPatchSize: number;
  contextLength: number;
  vocabularySize: number;
  textWidth: number;
  textHeads: number;
  textLayers: number;
}

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

/** Without a generator the tensors are left unfilled. */
export type NativeClipClass = new (config: NativeConfig, generator: NativeGenerator | null) => NativeClip;
