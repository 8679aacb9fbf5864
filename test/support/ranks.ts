import { command, type Ended } from './command';
import { freePort } from '../torch/distributed/ranks';

/**
 * Runs `cleanclip-train` as the ranks of one job, as torchrun would start them.
 * @param args flags of all ranks, or of each
 * @param folder current folder of all
 */
export async function trainOverRanks(worldSize: number, args: string[] | ((rank: number) => string[]), folder: string): Promise<Ended[]> {
  const port = String(await freePort());
  return Promise.all(
    Array.from({ length: worldSize }, (_, rank) => {
      const env = { WORLD_SIZE: String(worldSize), RANK: String(rank), LOCAL_RANK: String(rank), MASTER_ADDR: '127.0.0.1', MASTER_PORT: port, OMP_NUM_THREADS: '1' };
      return command('cleanclip-train', typeof args === 'function' ? args(rank) : args, folder, env).ended;
    }),
  );
}
