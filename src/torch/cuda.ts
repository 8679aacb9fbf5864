import { addon } from './addon';
import type { DeviceProperties, Gpu } from './cuda_native';

export type { DeviceProperties, Gpu } from './cuda_native';
export { currentStream, Event, recordStream, Stream, stream } from './cuda_streams';

/**
 * Returns how many GPUs libtorch sees (torch.cuda.device_count); 0 with its CPU build. The other functions of
 * `torch.cuda`, except `isAvailable`, then throw CleanclipError `ERR_TORCH`, as they do for a GPU that does not exist.
 */
export const deviceCount = (): number => addon().cudaDeviceCount();

/** Returns whether there is a GPU (torch.cuda.is_available). */
export const isAvailable = (): boolean => deviceCount() > 0;

/** Returns the index of the GPU that 'cuda' means in this thread (torch.cuda.current_device); 0 at first. */
export const currentDevice = (): number => addon().cudaDevice();

/** Chooses the GPU that 'cuda' means in this thread (torch.cuda.set_device). */
export const setDevice = (device: Gpu): void => addon().setCudaDevice(device);

/**
 * Blocks this thread until a GPU has done all its work (torch.cuda.synchronize).
 * @param device default: the current GPU
 */
export const synchronize = (device?: Gpu): void => addon().cudaSynchronize(device);

/**
 * Returns a GPU's name, compute capability, memory and multiprocessors (torch.cuda.get_device_properties).
 * @param device default: the current GPU
 * @throws CleanclipError `ERR_TORCH` also when the addon was compiled without the headers of CUDA
 */
export const getDeviceProperties = (device?: Gpu): DeviceProperties => addon().cudaProperties(device);

/**
 * Returns the bytes of a GPU's memory that tensors take (torch.cuda.memory_allocated).
 * @param device default: the current GPU
 */
export const memoryAllocated = (device?: Gpu): number => addon().cudaMemory(device).allocated;

/**
 * Returns the most bytes of a GPU's memory that tensors took at once (torch.cuda.max_memory_allocated), since the start
 * or {@link resetPeakMemoryStats}.
 * @param device default: the current GPU
 */
export const maxMemoryAllocated = (device?: Gpu): number => addon().cudaMemory(device).maxAllocated;

/**
 * Returns the bytes that libtorch has taken from a GPU, used by tensors or idle (torch.cuda.memory_reserved).
 * @param device default: the current GPU
 */
export const memoryReserved = (device?: Gpu): number => addon().cudaMemory(device).reserved;

/**
 * Returns the most bytes that libtorch had taken from a GPU at once (torch.cuda.max_memory_reserved), since the start
 * or {@link resetPeakMemoryStats}.
 * @param device default: the current GPU
 */
export const maxMemoryReserved = (device?: Gpu): number => addon().cudaMemory(device).maxReserved;

/**
 * Sets the peaks of a GPU's memory to what is taken now (torch.cuda.reset_peak_memory_stats).
 * @param device default: the current GPU
 */
export const resetPeakMemoryStats = (device?: Gpu): void => addon().resetPeakCudaMemory(device);

/** Returns the idle memory of all GPUs to them, for other processes (torch.cuda.empty_cache). */
export const emptyCache = (): void => addon().emptyCudaCache();
