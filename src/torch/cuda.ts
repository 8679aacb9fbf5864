import { addon } from './addon';
import type { DeviceProperties, Gpu } from './cuda_native';

export type { DeviceProperties, Gpu } from './cuda_native';
export { currentStream, Event, recordStream, Stream, stream } from './cuda_streams';

/**
 * How many GPUs libtorch sees (torch.cuda.device_count); 0 with its CPU build. All else here throws `ERR_TORCH` when it
 * is 0.
 */
export const deviceCount = (): number => addon().cudaDeviceCount();

/** Whether there is a GPU (torch.cuda.is_available). */
export const isAvailable = (): boolean => deviceCount() > 0;

/** The GPU that 'cuda' means in this thread (torch.cuda.current_device); 0 at first. */
export const currentDevice = (): number => addon().cudaDevice();

/** Lets 'cuda' mean that GPU in this thread (torch.cuda.set_device). */
export const setDevice = (device: Gpu): void => addon().setCudaDevice(device);

/** Waits for all that a GPU has been given (torch.cuda.synchronize); default: the current one. Blocks this thread. */
export const synchronize = (device?: Gpu): void => addon().cudaSynchronize(device);

/**
 * Name, compute capability, memory and multiprocessors of a GPU (torch.cuda.get_device_properties); default: the
 * current one.
 */
export const getDeviceProperties = (device?: Gpu): DeviceProperties => addon().cudaProperties(device);

/** Bytes of a GPU's memory that tensors take (torch.cuda.memory_allocated); default: the current GPU's. */
export const memoryAllocated = (device?: Gpu): number => addon().cudaMemory(device).allocated;

/**
 * The most bytes that tensors have taken at once (torch.cuda.max_memory_allocated) since {@link resetPeakMemoryStats}.
 */
export const maxMemoryAllocated = (device?: Gpu): number => addon().cudaMemory(device).maxAllocated;

/** Bytes that libtorch has taken from a GPU, for tensors and idle (torch.cuda.memory_reserved). */
export const memoryReserved = (device?: Gpu): number => addon().cudaMemory(device).reserved;

/**
 * The most bytes that libtorch has taken from a GPU (torch.cuda.max_memory_reserved) since {@link
 * resetPeakMemoryStats}.
 */
export const maxMemoryReserved = (device?: Gpu): number => addon().cudaMemory(device).maxReserved;

/** Lets the peaks begin at what is taken now (torch.cuda.reset_peak_memory_stats). */
export const resetPeakMemoryStats = (device?: Gpu): void => addon().resetPeakCudaMemory(device);

/** Gives the idle memory of all GPUs back to them, for other processes (torch.cuda.empty_cache). */
export const emptyCache = (): void => addon().emptyCudaCache();
