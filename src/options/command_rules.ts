// All rules between two flags of the commands of `cleanclip`. They are checked before a thread or a file is started.
import type { EmbedOptions, RetrievalOptions } from './embeddings';
import type { PlotOptions } from './plot';
import { refuse } from './refuse';

/**
 * Checks the rules of `cleanclip poison`.
 * @throws CleanclipError `ERR_OPTION` when templates are missing, or more rows are to be poisoned than the set has
 */
export function checkPoisonRules(options: {
  templates?: string;
  labelConsistent?: boolean;
  numBackdoor?: number;
  sizeTrainData?: number;
}): void {
  const { templates, labelConsistent = false, numBackdoor = 0, sizeTrainData = Infinity } = options;
  refuse(
    templates === undefined && !labelConsistent,
    '--templates is missing: expected a classes file with templates for the poisoned captions.',
  );
  refuse(
    numBackdoor > sizeTrainData,
    `--num_backdoor is ${numBackdoor}, but the poisoned set has ${sizeTrainData} rows: expected at most that many.`,
  );
}

/** Checks that a command is given a model. */
function checkModel({ checkpoint, pretrained }: { checkpoint?: string; pretrained: boolean }): void {
  refuse(
    checkpoint === undefined && !pretrained,
    "--checkpoint is missing: expected the file of a model, or --pretrained for OpenAI's weights of --model_name.",
  );
  refuse(checkpoint !== undefined && pretrained, '--checkpoint and --pretrained both name weights; give one of them.');
}

/**
 * Checks the rules of `cleanclip embed`.
 * @throws CleanclipError `ERR_OPTION` when there is no model or not one set, or a flag is for another kind of set
 */
export function checkEmbedRules(options: EmbedOptions): void {
  checkModel(options);
  checkSet(options);
  refuse(!options.output?.endsWith('.safetensors'), `--output must end with .safetensors, but is '${options.output}'.`);
}

/** Checks that a command is given one set to embed. */
function checkSet(
  options: Pick<EmbedOptions, 'trainData' | 'evalTestDataDir' | 'evalTrainDataDir' | 'evalDataType' | 'addBackdoor'>,
): void {
  const { trainData, evalTestDataDir, evalTrainDataDir, evalDataType, addBackdoor } = options;
  const sets = [trainData, evalTestDataDir, evalTrainDataDir].filter((set) => set !== undefined);
  refuse(
    sets.length !== 1,
    'Expected one of --train_data, --eval_test_data_dir and --eval_train_data_dir, the set to embed, but ' +
      `${sets.length === 0 ? 'there is none' : `there are ${sets.length}`}.`,
  );
  refuse(
    trainData !== undefined && (addBackdoor || evalDataType !== undefined),
    `--${addBackdoor ? 'add_backdoor' : 'eval_data_type'} is for a labelled set; leave it or --train_data out.`,
  );
}

/**
 * Checks the rules of `cleanclip retrieval`.
 * @throws CleanclipError `ERR_OPTION` when there are no pairs, or pairs without a model
 */
export function checkRetrievalRules(options: RetrievalOptions): void {
  const { inputFile, embeddings, checkpoint, pretrained } = options;
  refuse(
    (inputFile === undefined) === (embeddings === undefined),
    'Expected either --input_file, the pairs to embed, or --embeddings, files of pairs that are embedded already.',
  );
  if (inputFile !== undefined) checkModel(options);
  else
    refuse(
      checkpoint !== undefined || pretrained,
      '--embeddings holds what the model has computed; leave out --checkpoint and --pretrained.',
    );
}

/**
 * Checks the rules of `cleanclip download`.
 * @throws CleanclipError `ERR_OPTION` when the range of rows is empty, or shards are to have the names of the script
 */
export function checkDownloadRules(options: {
  file: string;
  dir: string;
  start?: number;
  end?: number;
  shards?: number;
  compat?: string;
}): void {
  const { file, dir, start = 0, end = Infinity, shards, compat } = options;
  checkPaths({ file, dir });
  refuse(end <= start, `--end is ${end} and --start ${start}: expected an --end above --start.`);
  refuse(
    shards !== undefined && compat !== undefined,
    '--compat reference names the files of images, and --shards has none: leave one of them out.',
  );
}

/**
 * Checks the rules of `cleanclip prepare`.
 * @throws CleanclipError `ERR_OPTION` when a flag is missing that the set needs, or given that it does not take
 */
export function checkPrepareRules(options: {
  set: string;
  input: string;
  images?: string;
  output?: string;
  from?: string;
}): void {
  const { set, input, images, output, from } = options;
  const isSbu = set === 'sbucaptions';
  checkPaths({ input, images, output });
  refuse(!isSbu && images === undefined, `prepare ${set} needs --images, the folder of the images.`);
  refuse(isSbu && images !== undefined, 'prepare sbucaptions takes no --images: its tars have the images.');
  refuse(
    set !== 'imagenet' && output === undefined,
    `prepare ${set} needs --output, the ${isSbu ? 'folder' : 'csv'} to write.`,
  );
  refuse(set !== 'relocate' && from !== undefined, '--from is for prepare relocate; leave it out.');
}

/**
 * Checks the rules of `cleanclip augment-text` and `augment-image`.
 * @throws CleanclipError `ERR_OPTION` when a path cannot be one
 */
export const checkAugmentRules = ({ input, output }: { input: string; output: string }): void =>
  checkPaths({ input, output });

/** Refuses paths that no file can have. */
function checkPaths(paths: Record<string, string | undefined>): void {
  for (const [flag, path] of Object.entries(paths))
    refuse(
      path === '' || path?.includes('\0') === true,
      `--${flag} must be a path, but it is empty or has a null character.`,
    );
}

/**
 * Checks the rules of `cleanclip plot`.
 * @throws CleanclipError `ERR_OPTION` when there is nothing to draw or two things, or a flag does nothing
 */
export function checkPlotRules(options: PlotOptions): void {
  const { runs, embeddings, checkpoint, titles, detected, classes } = options;
  const given = [runs, embeddings, checkpoint].filter((source) => source !== undefined).length;
  refuse(
    given !== 1,
    'Expected folders of runs, LOGS, or files of embeddings, --embeddings, or models, --checkpoint, but ' +
      `${given === 0 ? 'none of them' : `${given} of them`} came; give one.`,
  );
  const { trainData, evalTestDataDir, evalTrainDataDir } = options;
  const set = trainData ?? evalTestDataDir ?? evalTrainDataDir;
  if (checkpoint !== undefined) checkSet(options);
  else {
    refuse(set !== undefined, `'${set}' is a set to embed: give --checkpoint, the models, or leave it out.`);
    refuse(
      options.addBackdoor || options.evalDataType !== undefined,
      `--${options.addBackdoor ? 'add_backdoor' : 'eval_data_type'} is for the set that --checkpoint embeds; leave ` +
        'it out.',
    );
  }
  refuse(
    checkpoint !== undefined && options.of === 'texts' && trainData === undefined,
    '--of texts draws captions of pairs: give --train_data, or leave it out.',
  );
  const pictures = embeddings ?? checkpoint;
  refuse(
    pictures === undefined && (titles ?? detected ?? classes) !== undefined,
    '--titles, --detected and --classes belong to pictures of embeddings: give --embeddings or --checkpoint, or ' +
      'leave them out.',
  );
  refuse(
    titles !== undefined && titles.length !== pictures?.length,
    `--titles names ${titles?.length} pictures, but --${embeddings === undefined ? 'checkpoint' : 'embeddings'} has ` +
      `${pictures?.length}: expected as many.`,
  );
}
