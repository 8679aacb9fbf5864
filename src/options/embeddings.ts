import { flag, integer, integers, number, type Resolved, text, texts } from './define';
import { pairColumnOptions } from './pair_columns';
import { trainOptions } from './train';

/** A file of embeddings, as `cleanclip embed` writes it. */
const embeddingsDoc = 'safetensors file of embeddings that cleanclip embed wrote';

/** The options that say how a model computes. */
const computingFlags = {
  activation: trainOptions.activation,
  batch_size: integer({
    doc: 'pairs or captions that the model embeds at a time',
    default: 128,
    min: 1,
    unit: 'pairs',
  }),
  num_workers: trainOptions.num_workers,
  strict: flag('refuse an image that cannot be read, instead of leaving it out'),
  device: trainOptions.device,
  device_id: trainOptions.device_id,
  precision: trainOptions.precision,
};

const modelName = text({
  doc: "the model's name, a .json file of sizes or a folder, where --checkpoint does not say it",
  default: undefined,
  unit: 'name|file',
  defaultText: "RN50 with --pretrained; a checkpoint's own",
});

/** The options that choose a model and how it computes. */
const modelFlags = {
  checkpoint: text({
    doc: 'the model: a checkpoint, state dict, safetensors file or folder (or give --pretrained)',
    default: undefined,
    unit: 'file',
  }),
  pretrained: flag("take OpenAI's weights of --model_name, from the cache or downloaded to it"),
  model_name: modelName,
  ...computingFlags,
};

/** The options that choose what is embedded. */
const setFlags = {
  train_data: text({ doc: 'the pairs to embed: a csv or tsv', default: undefined, unit: 'file' }),
  ...pairColumnOptions,
  eval_data_type: trainOptions.eval_data_type,
  eval_test_data_dir: text({
    doc: 'the labelled set to embed instead of pairs: the folder of its test images',
    default: undefined,
    unit: 'folder',
  }),
  eval_train_data_dir: text({
    doc: 'the same, but the folder of its training images',
    default: undefined,
    unit: 'folder',
  }),
  add_backdoor: flag('also embed the images of the labelled set with the trigger'),
  label: text({
    doc: "target class of the backdoor, which the file's zero-shot attack success counts",
    default: 'banana',
    unit: 'class',
  }),
  patch_type: trainOptions.patch_type,
  patch_location: trainOptions.patch_location,
  patch_size: trainOptions.patch_size,
  trigger_mode: trainOptions.trigger_mode,
  trigger_seed: trainOptions.trigger_seed,
  compat: text({
    doc: 'reference: triggers, and images under them, as the Python code makes them',
    default: undefined,
    choices: ['reference'],
  }),
};

/** The flags of `cleanclip embed`. */
export const embedFlags = {
  output: text({ doc: 'the .safetensors file to write (required)', default: undefined, unit: 'file' }),
  ...setFlags,
  ...modelFlags,
  seed: integer({ doc: 'seed of the random places of the trigger', default: 0, unit: 'seed' }),
};

/** The flags of a command that embeds a set with several models, on its way to something else. */
export const embeddingFlags = { ...setFlags, model_name: modelName, ...computingFlags };

/** The flags of `cleanclip zeroshot`. */
export const zeroshotFlags = {
  embeddings: text({ doc: `${embeddingsDoc} for a labelled set (required)`, default: undefined, unit: 'file' }),
  k: integers({
    doc: 'numbers of first classes to look for the right one in',
    unit: 'classes',
    min: 1,
    defaultText: '1 3 5 10',
  }),
};

/** The flags of `cleanclip linear-probe`. */
export const linearProbeFlags = {
  train_embeddings: text({
    doc: `${embeddingsDoc} for the images to train on (required)`,
    default: undefined,
    unit: 'file',
  }),
  test_embeddings: text({
    doc: `${embeddingsDoc} for the images to measure on (required)`,
    default: undefined,
    unit: 'file',
  }),
  lr: number({
    doc: 'learning rate at the start; it falls to 0 along half a cosine',
    default: 0.005,
    above: 0,
    unit: 'rate',
  }),
  batch_size: integer({ doc: 'images in a step', default: 16, min: 1, unit: 'images' }),
  num_epochs: integer({ doc: 'passes over the images to train on', default: 32, min: 1, unit: 'epochs' }),
  weight_decay: number({ doc: "AdamW's weight decay; none for the bias", default: 0.01, min: 0 }),
  seed: integer({ doc: 'seed of the initial weights and of the order of the images', default: 0, unit: 'seed' }),
};

/** The flags of `cleanclip retrieval`. */
export const retrievalFlags = {
  input_file: texts({ doc: 'csv or tsv files of pairs; rows of one image may follow one another', unit: 'file' }),
  embeddings: texts({
    doc: 'safetensors files that cleanclip embed wrote for pairs, instead of --input_file',
    unit: 'file',
  }),
  ...pairColumnOptions,
  ...modelFlags,
  compat: text({
    doc: 'reference: also print the text recall of the Python code, 80 + recall / 5 with five captions an image',
    default: undefined,
    choices: ['reference'],
  }),
};

/** The options of `embed` with their defaults filled in. */
export type EmbedOptions = Resolved<typeof embedFlags>;
/** The options of `zeroshot` with their defaults filled in. */
export type ZeroshotOptions = Resolved<typeof zeroshotFlags>;
/** The options of `linearProbe` with their defaults filled in. */
export type LinearProbeOptions = Resolved<typeof linearProbeFlags>;
/** The options of `retrieval` with their defaults filled in. */
export type RetrievalOptions = Resolved<typeof retrievalFlags>;
