import type { Handle } from './handle';

/** Stands for a stream of a GPU inside the addon. */
export interface NativeStream {
  readonly __stream: unique symbol;
}

/** Stands for an event inside the addon. */
export interface NativeEvent {
  readonly __event: unique symbol;
}

/** Names a GPU: its index from 0, 'cuda:<index>', or 'cuda' for the current one. */
export type Gpu = number | string;

/** Describes a GPU; see `torch.cuda.getDeviceProperties`. */
export interface DeviceProperties {
  /** the model, 'NVIDIA H200' */
  name: string;
  /** the first number of the compute capability: 8 of 8.6 */
  major: number;
  /** the second number: 6 of 8.6 */
  minor: number;
  /** bytes of memory, free or not */
  totalMemory: number;
  /** number of streaming multiprocessors */
  multiProcessorCount: number;
}

/**
 * The functions of `native/gpu/`. Their default device is the current GPU. Without a GPU, those that need one throw
 * `ERR_TORCH`.
 */
export interface CudaFunctions {
  cudaBuild(): { nccl: string | null } | null;
  cudaDeviceCount(): number;
  cudaHasBfloat16(): boolean;
  cudaDevice(): number;
  setCudaDevice(device: Gpu): void;
  cudaSynchronize(device?: Gpu): void;
  cudaProperties(device?: Gpu): DeviceProperties;

  cudaMemory(device?: Gpu): { allocated: number; maxAllocated: number; reserved: number; maxReserved: number };
  resetPeakCudaMemory(device?: Gpu): void;
  emptyCudaCache(): void;

  createCudaStream(device: Gpu | undefined, highPriority: boolean): NativeStream;
  currentCudaStream(device?: Gpu): NativeStream;
  setCudaStream(stream: NativeStream): NativeStream;
  cudaStreamDevice(stream: NativeStream): number;
  queryCudaStream(stream: NativeStream): boolean;
  synchronizeCudaStream(stream: NativeStream): void;
  recordStream(tensor: Handle, stream: NativeStream): void;

  createCudaEvent(): NativeEvent;
  recordCudaEvent(event: NativeEvent, stream: NativeStream): void;
  waitCudaEvent(event: NativeEvent, stream: NativeStream): void;
  queryCudaEvent(event: NativeEvent): boolean;
  synchronizeCudaEvent(event: NativeEvent): void;
  cudaElapsedTime(start: NativeEvent, end: NativeEvent): number;

  cudnnBenchmark(value?: boolean): boolean;
  cudnnAllowTf32(value?: boolean): boolean;
  matmulAllowTf32(value?: boolean): boolean;
}
