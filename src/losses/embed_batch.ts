import type { Clip } from '../clip/model';
import type { BatchTensors } from '../data/batch_tensors';
import { normalize } from '../images/preprocess';
import { type Tensor, torch } from '../torch';
import type { Rows } from '.';

/**
 * Unit-norm features of N pairs, each float32 [N, D]. The augmented ones are absent when the batch has no augmented
 * views.
 */
export interface Embeds {
  imageEmbeds: Tensor;
  textEmbeds: Tensor;
  augmentedImageEmbeds?: Tensor;
  augmentedTextEmbeds?: Tensor;
}

/** A model that embeds a batch: a `Clip`, or the copy of one rank. */
export type Embedder = Pick<Clip, 'config' | 'device' | 'forward'>;

/**
 * Computes the features of some rows of a batch. Both views go through the model in one batch of 2N. Pixels are copied
 * to the model's device asynchronously; token ids stay on the CPU, where their lengths are read.
 * @param repeated whether this pass repeats another one, so that it must not update batch norm's running statistics;
 * default false
 */
export function embedBatch(model: Embedder, batch: BatchTensors, { start, length }: Rows, repeated = false): Embeds {
  const rows = (tensor: Tensor): Tensor => tensor.narrow(0, start, length);
  const toDevice = (tensor: Tensor): Tensor => rows(tensor).to({ device: model.device, nonBlocking: true });
  const { pixels, ids, augmentedPixels, augmentedIds } = batch;
  if (augmentedPixels === undefined || augmentedIds === undefined)
    return model.forward(rows(ids), normalize(toDevice(pixels), model.config), { repeated });

  const bothPixels = torch.cat([toDevice(pixels), toDevice(augmentedPixels)]); // uint8 [2N, 3, S, S]
  const bothIds = torch.cat([rows(ids), rows(augmentedIds)]); // int64 [2N, 77]
  // [2N, D]
  const { imageEmbeds, textEmbeds } = model.forward(bothIds, normalize(bothPixels, model.config), { repeated });
  return {
    imageEmbeds: imageEmbeds.narrow(0, 0, length),
    textEmbeds: textEmbeds.narrow(0, 0, length),
    augmentedImageEmbeds: imageEmbeds.narrow(0, length, length),
    augmentedTextEmbeds: textEmbeds.narrow(0, length, length),
  };
}
