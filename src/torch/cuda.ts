import { addon } from './addon';

/** How many GPUs libtorch sees (torch.cuda.device_count); 0 with its CPU build. */
export const deviceCount = (): number => addon().cudaDeviceCount();

/** Whether there is a GPU (torch.cuda.is_available). */
export const isAvailable = (): boolean => deviceCount() > 0;
