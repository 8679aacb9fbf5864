import { dataError } from '../../errors';
import { type MatValue, readMatlab } from '../matlab';

/**
 * Reads the variables of a MAT-file; see {@link readMatlab}.
 * @throws CleanclipError ERR_DATA: the file is damaged or of another version; the message names the file
 */
export async function readMatFile(bytes: Buffer, file: string): Promise<Map<string, MatValue>> {
  try {
    return await readMatlab(bytes);
  } catch (error) {
    throw dataError(`${file} ${(error as Error).message}.`, error);
  }
}
