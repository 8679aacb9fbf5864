import { addon } from './addon';
import { wrap, type Tensor } from './tensor';

/** How often each level occurs in each channel of an image uint8 [H, W, 3] on the CPU: [3 · 256]. */
export const channelHistograms = (image: Tensor): Uint32Array => addon().channelHistograms(image.handle);

/** A new image of what the tables, [3 · 256], have for each byte of an image uint8 [H, W, 3] on the CPU. */
export const lookupChannels = (image: Tensor, tables: Uint8Array): Tensor => wrap(addon().lookupChannels(image.handle, tables));
