import { dataError } from '../../errors';
import { type MatValue, readMatlab } from '../matlab';

/** The variables of a MAT-file; see {@link readMatlab}. Its faults name the file. */
export async function readMatFile(bytes: Buffer, file: string): Promise<Map<string, MatValue>> {
  try {
    return await readMatlab(bytes);
  } catch (error) {
    throw dataError(`${file} ${(error as Error).message}.`, error);
  }
}
