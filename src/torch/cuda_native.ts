import type { Handle } from './handle';

/** A stream of a GPU inside the addon. */
export interface NativeStream {
  readonly __stream: unique symbol;
}

/** An event inside the addon. */
export interface NativeEvent {
  readonly __event: unique symbol;
}

/** A GPU: its index, 'cuda:<index>', or 'cuda' for the current one. */
export type Gpu = number | string;

/** What a GPU is. */
export interface DeviceProperties {
  name: string;
  /** the compute capability's first number: 8 of 8.6 */
  major: number;
  /** the second: 6 of 8.6 */
  minor: number;
  /** bytes */
  totalMemory: number;
  multiProcessorCount: number;
}

/**
 * The functions of `native/gpu/`. Without a device they mean the current one; where there is no GPU they throw
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
