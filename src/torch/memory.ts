import { addon } from './addon';

/**
 * Returns the CPU memory that no tensor uses to the system, as torch.cuda.empty_cache does for a GPU. Without it, the
 * memory of a freed tensor of 64 KiB or more is kept for later tensors. Used and kept memory together stay within 128
 * MiB of the most that tensors used at once.
 */
export const emptyCache = (): void => addon().emptyCache();
