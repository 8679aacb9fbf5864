// The main module of a thread that writes augmented images.
import { renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { workerData } from 'node:worker_threads';

import { autoAugment } from '../../augment/autoaugment';
import { serveTasks } from '../../data/worker_pool';
import { asWriteError, temporaryName } from '../../files';
import { encoderOf } from '../../images/encode';
import { faultOf } from '../../images/faults';
import { decodeImage } from '../../images/image';
import { resizeCrop } from '../../images/preprocess';
import { Random } from '../../random';
import { type Tensor, torch } from '../../torch';
import type { ImageRecipe, ImageTask } from './image';

torch.setThreadLocalThreads(1);
const { seed, size, format } = workerData as ImageRecipe;
serveTasks(augment);

/** Writes the augmented image of a row. Returns the reason if its image cannot be read. */
async function augment({ row, image: source, target }: ImageTask): Promise<string | undefined> {
  let image: Tensor;
  try {
    image = await decodeImage(source, { resizedTo: size });
  } catch (error) {
    if (faultOf(error) === 'machine') throw error;
    return (error as Error).message;
  }
  const augmented = torch.tidy(() => {
    const view = autoAugment(image, { random: new Random(seed, row) });
    return size === undefined ? view : resizeCrop(view, size);
  });
  image.dispose();
  const encoder = encoderOf(augmented);
  augmented.dispose();
  const bytes = await (format === 'jpg' ? encoder.jpeg({ quality: 95 }) : encoder.png()).toBuffer();
  const temporary = join(dirname(target), temporaryName(basename(target)));
  try {
    writeFileSync(temporary, bytes);
    renameSync(temporary, target);
  } catch (error) {
    throw asWriteError(target, error);
  }
  return undefined;
}
