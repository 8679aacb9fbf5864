import { dataError } from '../../errors';
import { readMatlab, type MatValue } from '../matlab';

/** The variables of a MAT-file; see {@link readMatlab}. Its faults name the file. */
export function readMatFile(bytes: Buffer, file: string): Map<string, MatValue> {
  try {
    return readMatlab(bytes);
  } catch (error) {
    throw dataError(`${file} ${(error as Error).message}.`, error);
  }
}
