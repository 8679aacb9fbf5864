import type { AdamW } from '../../../src/torch/optim';
import type { Tensor, torch } from '../../../src/torch';
import type { ParallelModule } from '../../../src/torch/distributed';

type Torch = typeof torch;
export type Model = ParallelModule<Tensor[], unknown>;
export function modelOf(torch: Torch, name: string, seed: number): Model;
export function batchOf(torch: Torch, name: string, step: number, size: number): Tensor[];
export function lossOf(model: Model, output: unknown): Tensor;
export function optimizerOf(model: Model): AdamW;
export function weightsOf(model: Model): Float32Array;
