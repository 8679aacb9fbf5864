import { join, resolve } from 'node:path';

import { readClasses } from '../data/classes';
import { type BadRows, type PairColumns, readPairs } from '../data/pairs';
import { pairFolder, shardFiles } from '../data/shard_files';
import { optionError } from '../errors';
import { type Geometry, geometryOf } from '../images/preprocess_config';
import { type Lock, lock } from '../lock';
import { compatOf } from '../options/compat';
import type { JobHooks } from '../progress';
import { Random } from '../random';
import { addon } from '../torch/addon';
import { writeCsvSet } from './poisoned_csv';
import { setOfShards, writeShardSet } from './poisoned_shards';
import { selectRows } from './selection';
import { type ReplacedRow, triggeredImages } from './triggered';
import { makeTrigger, type Trigger, type TriggerOptions } from './triggers';

export type { ReplacedRow } from './triggered';

/** Options of `poison`: the flags of `cleanclip poison` in camelCase. */
export interface PoisonOptions extends PairColumns, Geometry, Omit<TriggerOptions, 'imageSize' | 'noise' | 'compat'> {
  /** path of the csv of clean pairs, or of shards, see {@link readPairs} */
  trainData: string;
  /**
   * path of the classes file whose templates make the poisoned captions, see {@link readClasses}; not needed with
   * `labelConsistent`
   */
  templates?: string;
  /** number of rows of the poisoned set, including the poisoned ones; default: all rows of `trainData` */
  sizeTrainData?: number;
  /** number of rows to poison */
  numBackdoor: number;
  /** target class of the attack; default `banana` */
  label?: string;
  /** poison only rows whose caption contains the label as a word, and keep their captions; default false */
  labelConsistent?: boolean;
  /**
   * side of the poisoned images in pixels; it should be the resolution of the model, because a resize blurs the
   * trigger; default 224
   */
  imageSize?: number;
  /** file format of the poisoned images; default `png`; the compression of `jpg` can destroy a trigger */
  imageFormat?: 'png' | 'jpg';
  /**
   * `reference`: images are squashed to a square instead of cropped, and the trigger is applied as {@link
   * TriggerOptions.compat} says
   */
  compat?: 'reference';
}

/** What `poison` wrote. All paths are absolute. */
export interface PoisonResult {
  /** the poisoned training set, as `trainData` of a training takes it: `csv`, or the tars `backdoor_<setting>/*.tar` */
  trainData: string;
  /** the poisoned training set, `backdoor_<setting>.csv`; absent if it is written as shards */
  csv?: string;
  /** the poisoned rows as they were before, `original_backdoor_<setting>.csv` */
  originalCsv: string;
  /** the folder of the poisoned images, `backdoor_images_<setting>`; absent if they are in shards */
  imagesDir?: string;
  /** number of poisoned rows */
  poisoned: number;
  /** selected rows that were replaced; absent if there are none */
  replaced?: ReplacedRow[];
  /** rows of `trainData` that cannot be used and are left out; absent if there are none */
  badRows?: BadRows;
}

/**
 * Writes a poisoned training set beside `trainData`: the attack of Carlini & Terzis 2022, which the CleanCLIP paper
 * defends against. The seed picks rows whose images get the trigger and whose captions name the label. Images are
 * resized and cropped as for training before the trigger is applied. A picked row whose image cannot be read is
 * replaced by another row, which `replaced` reports. The same options give the same bytes.
 *
 * It writes, in this order:
 * - `backdoor_images_<setting>/`, the images with the trigger;
 * - `original_backdoor_<setting>.csv`, the poisoned rows as they were;
 * - `backdoor_<setting>.csv`, the poisoned rows, then the other rows in the order of `trainData`, with a column
 *   `is_backdoor`.
 *
 * When `trainData` names shards, the set is shards too, of the same rows in the same order:
 * - `original_backdoor_<setting>.csv`, as above;
 * - `backdoor_<setting>/`, tars of 10,000 samples. Images that are not poisoned keep their bytes.
 *
 * @throws CleanclipError ERR_OPTION: there are more poisoned rows than rows, no templates, or a patch larger than the
 * image; ERR_DATA: a file cannot be read or written, or too few captions contain the label; ERR_ABORTED: the signal
 * stopped it. An error before the images are complete leaves nothing behind.
 */
export async function runPoison(options: PoisonOptions, hooks: JobHooks = {}): Promise<PoisonResult> {
  const trigger = makeTrigger({
    ...options,
    compat: compatOf(options).wrapsTriggers,
    imageSize: options.imageSize ?? 224,
  });
  let held: Lock | undefined;
  try {
    return await poisonWith(trigger, options, hooks, (file) => (held = holdOutput(file)));
  } finally {
    held?.release();
    trigger.dispose();
  }
}

/** Keeps other processes from writing the same poisoned set, by a lock on this file. */
function holdOutput(file: string): Lock {
  const refusal = (holder: string): Error =>
    optionError(
      `The same poisoned set is being written by ${holder}; wait until it is done, or poison a copy of the data.`,
    );
  return lock(file, { refusal, flock: (fd) => addon().lockFile(fd) });
}

async function poisonWith(
  trigger: Trigger,
  options: PoisonOptions,
  hooks: JobHooks,
  hold: (file: string) => void,
): Promise<PoisonResult> {
  const { numBackdoor, label = 'banana', labelConsistent = false, seed = 0 } = options;
  const geometry = geometryOf(compatOf(options).squashesImages ? { ...options, resizeMode: 'squash' } : options);
  const templates = labelConsistent ? [] : readTemplates(options.templates!);
  const table = await readPairs(options.trainData, options, hooks);
  const size = options.sizeTrainData ?? table.length;
  const selection = selectRows(table, size, numBackdoor, seed, labelConsistent ? label : undefined);

  const shards = shardFiles(options.trainData);
  const [folder, setting] = [resolve(pairFolder(options.trainData)), settingName(options, size)];
  hold(join(folder, `.backdoor_${setting}.lock`));
  const replaced: ReplacedRow[] = [];
  const random = new Random(seed, 1);
  const set = {
    ...{ table, selection, folder, size },
    images: triggeredImages({ table, selection, trigger, geometry }, options, replaced, hooks.signal),
    caption: (row: number) => (labelConsistent ? table.caption(row) : random.choice(templates)(label)),
  };
  const { leftOut = table.badRows, ...written } =
    shards === undefined
      ? await writeCsvSet({ ...set, setting }, options, hooks)
      : await writeShardSet({ ...set, setting: setOfShards(setting) }, shards, options, hooks);
  return {
    ...written,
    poisoned: numBackdoor,
    ...(replaced.length > 0 && { replaced }),
    ...(leftOut.count > 0 && { badRows: leftOut }),
  };
}

function readTemplates(file: string): ((name: string) => string)[] {
  return readClasses(file).templates;
}

/** The name of the options that the files of a poisoned set carry, composed as in the Python reference. */
function settingName(options: PoisonOptions, size: number): string {
  const { label = 'banana', patchType = 'random', patchLocation = 'random', patchSize = 16, numBackdoor } = options;
  const parts = [label.replaceAll(/[/\\\p{Cc}]/gu, '-'), patchType, patchLocation, patchSize, size, numBackdoor];
  return parts.join('_') + (options.labelConsistent ? '_label_consistent' : '');
}
