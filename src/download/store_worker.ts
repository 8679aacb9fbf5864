// The main module of a thread that makes the stored image of what a server sent.
import { writeFileSync } from 'node:fs';
import { workerData } from 'node:worker_threads';

import { serveTasks } from '../data/worker_pool';
import { asWriteError } from '../files';
import { encoderOf } from '../images/encode';
import { faultOf } from '../images/faults';
import { formatOf } from '../images/format';
import { decodeImage } from '../images/image';
import { Refusal } from '../images/limits';
import { resizeCrop } from '../images/preprocess';
import { type Tensor, torch } from '../torch';
import type { Incoming, Stored, StoreRecipe } from './store';
import { isWhole } from './whole';

const JPEG_QUALITY = 95;
const PNG_LEVEL = 2; // a few percent larger than level 6 without filters, in two thirds of the time

torch.setThreadLocalThreads(1);
const { format, size, maxPixels } = workerData as StoreRecipe;
serveTasks(store);

async function store({ bytes, path }: Incoming): Promise<Stored> {
  let image: Tensor;
  try {
    if (!isWhole(bytes)) return { error: 'it ends before its content does' };
    image = await decodeImage(bytes, { maxPixels, resizedTo: format === 'original' ? undefined : size });
  } catch (error) {
    if (faultOf(error) === 'machine') throw error;
    const { cause, message } = error as Error;
    return { error: cause instanceof Refusal ? cause.message : message };
  }
  const [, height, width] = image.shape;
  try {
    const content = format === 'original' ? bytes : await encode(image);
    write(path, content);
    return { width, height, ending: format === 'original' ? (formatOf(bytes) ?? 'pnm') : format };
  } finally {
    image.dispose();
  }
}

async function encode(image: Tensor): Promise<Buffer> {
  const encoder = torch.tidy(() => encoderOf(resizeCrop(image, size)));
  return format === 'jpg'
    ? encoder.jpeg({ quality: JPEG_QUALITY, optimiseCoding: false }).toBuffer() // as PIL and OpenCV write them
    : encoder.png({ compressionLevel: PNG_LEVEL }).toBuffer();
}

function write(path: string, content: Uint8Array): void {
  try {
    writeFileSync(path, content, { flag: 'wx' });
  } catch (error) {
    throw asWriteError(path, error);
  }
}
