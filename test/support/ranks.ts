import { freePort } from '../../src/jobs/ranks/free_port';
import { bin, type Running, start } from './command';

/**
 * Starts `cleanclip-train` as the ranks of one job, as torchrun would.
 * @param args flags of all ranks, or of each
 * @param folder current folder of all
 * @param before what the shell of a rank does before it
 */
export async function startRanks(
  worldSize: number,
  args: string[] | ((rank: number) => string[]),
  folder: string,
  before: (rank: number) => string = () => '',
): Promise<Running[]> {
  const port = String(await freePort());
  return Array.from({ length: worldSize }, (_, rank) => {
    const env = {
      WORLD_SIZE: String(worldSize),
      RANK: String(rank),
      LOCAL_RANK: String(rank),
      MASTER_ADDR: '127.0.0.1',
      MASTER_PORT: port,
      OMP_NUM_THREADS: '1',
    };
    const program = [process.execPath, bin('cleanclip-train'), ...(typeof args === 'function' ? args(rank) : args)];
    return start('bash', ['-c', `${before(rank)} exec "$0" "$@"`, ...program], folder, { env });
  });
}
