import { CleanclipError } from '../errors';
import type { Preparation } from '../options/prepare';
import type { JobHooks } from '../progress';
import { prepareImageNet } from './imagenet';
import { prepareCaptions } from './karpathy';
import { relocate } from './relocate';
import { prepareSbu } from './sbu';
import type { Check, Prepare, PrepareOptions, PrepareResult } from './types';

export type { PrepareOptions, PrepareResult } from './types';

const TELL_EVERY = 100; // milliseconds between events

const preparing: Record<Preparation, Prepare> = {
  flickr30k: prepareCaptions,
  mscoco: prepareCaptions,
  sbucaptions: prepareSbu,
  imagenet: prepareImageNet,
  relocate,
};

/**
 * Makes a csv that training or evaluation reads from a set as its authors distribute it.
 * @throws CleanclipError `ERR_DATA` when a file is missing or malformed, an image is not there, or the disk refuses;
 * `ERR_OPTION` when the output exists as a folder; `ERR_ABORTED` when the signal aborts it
 */
export async function runPrepare(
  options: PrepareOptions,
  { signal, onProgress }: JobHooks = {},
): Promise<PrepareResult> {
  let told = -Infinity;
  const refuseAborted = (): void => {
    if (signal?.aborted) throw new CleanclipError('The preparation was stopped; nothing was written.', 'ERR_ABORTED');
  };
  const check: Check = (done, total, text) => {
    refuseAborted();
    if (performance.now() - told < TELL_EVERY && done < total) return;
    told = performance.now();
    onProgress?.({ type: 'progress', done, total, text });
  };
  refuseAborted();
  return preparing[options.set](options, check);
}
