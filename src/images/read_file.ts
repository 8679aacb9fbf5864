import { readRegularAsync } from '../input_files';
import { addon } from '../torch/addon';

/**
 * Reads an image file as `readRegularAsync` does, but in one task of Node's pool instead of four. A task costs as much
 * as the reading of a small file.
 *
 * @throws CleanclipError ERR_DATA: the file is missing, not regular, larger than `maxBytes`, or cannot be read
 */
export async function readImageFile(path: string, maxBytes: number): Promise<Buffer> {
  const bytes = await addon().readFile(path, Math.floor(Math.min(maxBytes, Number.MAX_SAFE_INTEGER)));
  return bytes ?? readRegularAsync(path, { wanted: 'an image', maxBytes }); // which says what is wrong
}
