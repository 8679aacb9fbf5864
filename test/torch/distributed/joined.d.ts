import type { Clip, ClipOptions } from '../../../src/clip/model';
import type { CleanClipInput, Rows } from '../../../src/losses';
import type { torch, Tensor } from '../../../src/torch';
import type { AdamW } from '../../../src/torch/optim';

type Torch = typeof torch;
export interface Pass {
  features: Float32Array;
  pixels: Float32Array;
  gradients: Float32Array;
  statistics: Float32Array;
}
export function rowsOf(counts: number[], rank: number): Rows;
export function trainingResnet(torch: Torch, options: ClipOptions): Clip;
export function trainingOf(torch: Torch, name: string, sync: boolean, seed: number): { clip: Clip; optimizer: AdamW };
export function pairsOf(
  torch: Torch,
  name: string,
  step: number,
  size: number,
  rows: Rows,
): [ids: Tensor, pixels: Tensor];
export function featuresOf(model: Clip, output: { imageEmbeds: Tensor; textEmbeds: Tensor }): CleanClipInput;
export function gradientsOf(model: Clip): Float32Array;
export function statisticsOf(model: Clip): Float32Array;
export function imagePass(torch: Torch, clip: Clip, size: number, rows: Rows): Pass;
