import type { ClipConfig } from '../../../src/clip/config';
import type { AdamW } from '../../../src/torch/optim';
import type { torch, Tensor } from '../../../src/torch';
import type { ParallelModule } from '../../../src/torch/distributed';

type Torch = typeof torch;
export type Model = ParallelModule<Tensor[], unknown>;
export const clips: Record<'vit' | 'resnet', ClipConfig>;
export function modelOf(torch: Torch, name: string, seed: number): Model;
export function batchOf(torch: Torch, name: string, step: number, size: number): Tensor[];
export function lossOf(model: Model, output: unknown): Tensor;
export function optimizerOf(model: Model, options?: { lr?: number; eps?: number }): AdamW;
export function weightsOf(model: Pick<Model, 'namedParameters'>): Float32Array;
