import { freePort } from '../../src/launch/free_port';
import { command } from './command';

/**
 * Starts `cleanclip-train` as the ranks of one job, as torchrun would.
 * @param args flags of all ranks, or of each
 * @param folder current folder of all
 */
export async function startRanks(worldSize: number, args: string[] | ((rank: number) => string[]), folder: string): Promise<ReturnType<typeof command>[]> {
  const port = String(await freePort());
  return Array.from({ length: worldSize }, (_, rank) => {
    const env = { WORLD_SIZE: String(worldSize), RANK: String(rank), LOCAL_RANK: String(rank), MASTER_ADDR: '127.0.0.1', MASTER_PORT: port, OMP_NUM_THREADS: '1' };
    return command('cleanclip-train', typeof args === 'function' ? args(rank) : args, folder, env);
  });
}
