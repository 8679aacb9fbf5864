import { addon } from './addon';

/**
 * Gives memory back to the system that no tensor uses (torch.cuda.empty_cache, here of the CPU). Tensors of 64 KiB and
 * more leave their memory to later ones; together with those in use it never takes more than the tensors once did.
 */
export const emptyCache = (): void => addon().emptyCache();
